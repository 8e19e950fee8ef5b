"""The networks of the live figures, as a browser runs them, against PyTorch."""

import base64

import pytest
import torch

import vaecourse as vae
from tests import interactive_examples as examples
from vaecourse.interactive.digits import _packed


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


BYTES = "Uint8Array.from(atob(blob), c => c.charCodeAt(0)).buffer"


def test_every_finite_float16_is_read_exactly(js):
    patterns = torch.arange(65536, dtype=torch.int32).to(torch.uint16)
    halves = patterns.view(torch.float16)
    finite = halves[halves.isfinite()]
    blob = base64.b64encode(finite.numpy().tobytes()).decode()
    found = js("latent-explorer", f"(m, blob) => Array.from(m.fromHalf({BYTES}))", blob)
    assert torch.equal(tensor(found), finite.double())


def run(js, packed, call, *given):
    """Evaluate a call on the layers of a packed network."""
    about, weights = packed
    blob = base64.b64encode(weights).decode()
    start = f"(m, blob, sizes, ...rest) => {{ const net = m.unpack({BYTES}, sizes); "
    code = f"{start} return ({call})(m, net, ...rest); }}"
    return js("draw-a-digit", code, blob, about["sizes"], *given)


@pytest.mark.parametrize("which", [0, 1], ids=["VAE", "autoencoder"])
def test_a_decoder_in_the_page_is_the_decoder(js, which):
    decoder = examples.models()[which].decoder
    codes = torch.tensor([[0.0, 0.0], [1.5, -2.0], [-0.3, 2.5]])
    call = "(m, net, codes) => codes.map(z => Array.from(m.forward(net, z)))"
    found = tensor(run(js, _packed(decoder, "x"), call, codes.tolist()))
    wanted = decoder[0](codes).flatten(1).double()
    assert (found - wanted).abs().max() < 1e-3
    if which == 0:
        assert (found.sigmoid() - decoder(codes).mean.flatten(1)).abs().max() < 1e-3


def test_encoder_and_both_terms_of_the_bound_are_those_of_pytorch(js):
    model, pixels = examples.models()[0], examples.digits().x[:3].round()
    flat = pixels.flatten(1).tolist()
    call = "(m, net, xs) => xs.map(x => { const q = m.encode(net, x); return [q, m.rate(q)]; })"
    q = model.encode(pixels)
    rates = vae.divergences.kl(q, model.prior())
    for i, (found, rate) in enumerate(run(js, _packed(model.encoder, "x"), call, flat)):
        assert (tensor(found["mean"]) - q.mean[i]).abs().max() < 1e-3
        assert (tensor(found["deviation"]) - q.stddev[i]).abs().max() < 1e-3
        assert rate == pytest.approx(rates[i].item(), abs=2e-3)

    eps = torch.randn(16, 2, generator=torch.Generator().manual_seed(6))
    call = "(m, net, q, x, eps) => m.distortion(net, q, x, eps)"
    given = {"mean": q.mean[0].tolist(), "deviation": q.stddev[0].tolist()}
    found = run(js, _packed(model.decoder, "x"), call, given, flat[0], eps.flatten().tolist())
    z = (q.mean[0] + q.stddev[0] * eps).unsqueeze(1)
    wanted = -model.decode(z).log_prob(pixels[:1])
    assert found["value"] == pytest.approx(wanted.mean().item(), rel=1e-5)
    assert found["error"] == pytest.approx((wanted.std() / 4).item(), rel=1e-2)


def test_a_class_and_a_style_decode_as_the_model_does(js):
    model, figure = examples.stacked(), examples.FIGURES["style-content"]()
    blobs = {key: base64.b64encode(blob).decode() for key, blob in figure.blobs.items()}
    call = """(m, options, blobs, from, style, label) => {
      const bytes = blob => Uint8Array.from(atob(blob), c => c.charCodeAt(0)).buffer;
      const nets = options.networks.map(n => m.unpack(bytes(blobs[n.key]), n.sizes));
      const code = m.codeAt(options, options.examples[from].rest, style);
      return [code, Array.from(m.decodeAs(nets, code, label, 10))]; }"""
    example = figure.options["examples"][1]
    code, pixels = js("style-content", call, figure.options, blobs, 1, example["style"], 7)
    image, label = examples.digits().x[13:14].round(), examples.digits().y[13:14]
    style = model.second.encode(model.first.encode(image).mean, label).mean
    assert (tensor(code) - style[0]).abs().max() < 0.02  # a place is stored with two digits
    wanted = model.decode(torch.tensor([code]), torch.tensor([7])).mean.flatten()
    assert (tensor(pixels) - wanted).abs().max() < 1e-3
    moved, _ = js("style-content", call, figure.options, blobs, 1, [0.3, -1.2], 7)
    step = torch.tensor([0.3, -1.2]).double() - tensor(example["style"])
    assert torch.allclose(tensor(moved) - tensor(code), step @ tensor(figure.options["directions"]))


@pytest.mark.parametrize("name", ["beta", "lambda"])
def test_a_sweep_shows_what_its_models_make(js, name):
    figure, models = examples.FIGURES[name](), list(examples.swept().values())
    given = examples.binary().x[[0, *range(1, 10)]]
    call = f"(m, blob, index) => Array.from(m.pictures({BYTES}, index, 10))"
    images, repeated, samples = (
        base64.b64encode(figure.blobs[row["key"]]).decode() for row in figure.options["rows"]
    )
    found = tensor(js(name, call, images, 0))
    assert torch.equal(found, given.flatten().double())
    for index, model in enumerate(models):
        found = tensor(js(name, call, repeated, index))
        wanted = model.decode(model.encode(given).mean).mean.flatten()
        assert (found - wanted).abs().max() < 0.003  # half a gray level of 256
        found = tensor(js(name, call, samples, index))
        wanted = vae.evaluation.sample_prior(model, 10, seed=0).flatten()
        assert (found - wanted).abs().max() < 0.003
    low, high = js(name, "m => m.range([2, 12], 0.1)")
    assert (low, high) == (1, 13)


CENTERED = "(m, ink, side) => Array.from(m.centered(ink, side))"


def center(js, ink):
    return tensor(js("draw-a-digit", CENTERED, ink.flatten().tolist(), len(ink))).reshape(28, 28)


def test_a_square_of_ink_fills_the_middle_twenty_pixels(js):
    ink = torch.zeros(140, 140)
    ink[7:107, 31:131] = 1
    wanted = torch.zeros(28, 28).double()
    wanted[4:24, 4:24] = 1
    assert torch.allclose(center(js, ink), wanted)


def test_centering_does_not_see_place_or_size(js):
    small, large = torch.zeros(140, 140), torch.zeros(140, 140)
    small[10:50, 20:30], small[40:50, 20:50] = 1, 1  # an L
    large[40:120, 50:70], large[100:120, 50:110] = 1, 1
    first, second = center(js, small), center(js, large)
    assert (first - second).abs().mean() < 0.01
    rows = torch.arange(28) + 0.5
    for picture in (first, second):
        assert abs((picture.sum(1) * rows).sum() / picture.sum() - 14) < 0.1
        assert abs((picture.sum(0) * rows).sum() / picture.sum() - 14) < 0.1
    assert not center(js, torch.zeros(140, 140)).any()
