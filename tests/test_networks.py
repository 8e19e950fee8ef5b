"""Networks against plain arithmetic, one input at a time, and each other's adjoint."""

import numpy as np
import pytest
import torch
from torch import nn

from vaecourse.networks import MLP, ConvDecoder, ConvEncoder, Linear

NETWORKS = {
    "linear": (lambda: Linear((2, 3), 4), (2, 3), (4,)),
    "mlp": (lambda: MLP((1, 4, 4), (7, 5), (2, 3)), (1, 4, 4), (2, 3)),
    "conv encoder": (lambda: ConvEncoder((2, 8, 4), (3, 5), 6), (2, 8, 4), (6,)),
    "conv decoder": (lambda: ConvDecoder(6, (5, 3), (2, 8, 4)), (6,), (2, 8, 4)),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(params=NETWORKS)
def built(request):
    build, in_shape, out_shape = NETWORKS[request.param]
    return build().double(), in_shape, out_shape


@pytest.mark.parametrize("batch", [(), (1,), (5,), (3, 2), (2, 1, 3)], ids=str)
def test_leading_dimensions_are_one_input_at_a_time(built, batch):
    network, in_shape, out_shape = built
    x = torch.randn(*batch, *in_shape, dtype=torch.float64)
    singles = [network(one) for one in x.reshape(-1, *in_shape)]
    assert all(single.shape == out_shape for single in singles)
    together = network(x)
    assert together.shape == (*batch, *out_shape)
    torch.testing.assert_close(together.reshape(-1, *out_shape), torch.stack(singles))


@pytest.mark.parametrize("batch", [(0,), (3, 0)], ids=str)
def test_an_empty_batch_has_an_empty_result(built, batch):
    network, in_shape, out_shape = built
    x = torch.zeros(*batch, *in_shape, dtype=torch.float64)
    assert network(x).shape == (*batch, *out_shape)


def test_strided_input_equals_its_contiguous_copy(built):
    network, in_shape, _ = built
    x = torch.randn(*in_shape, 4, dtype=torch.float64).movedim(-1, 0)
    torch.testing.assert_close(network(x), network(x.contiguous()))


def test_mlp_is_matrices_and_activations():
    network = MLP((2, 3), (4,), (5, 2), activation=nn.Tanh).double()
    first_w, first_b, second_w, second_b = (p.detach().numpy() for p in network.parameters())
    x = np.random.default_rng(0).normal(size=(7, 2, 3))
    expected = np.tanh(x.reshape(7, 6) @ first_w.T + first_b) @ second_w.T + second_b
    got = network(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(got, expected.reshape(7, 5, 2), rtol=1e-12, atol=1e-14)


def test_linear_is_affine():
    network = Linear(3, 2).double()
    weight, bias = network.parameters()
    x = torch.randn(4, 3, dtype=torch.float64)
    torch.testing.assert_close(network(x), x @ weight.T + bias)


def _tie(encoder: ConvEncoder, decoder: ConvDecoder) -> None:
    """Give the decoder the encoder's weights in mirrored order, and both no bias."""
    for network in (encoder, decoder):
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
    down = [layer for layer in encoder.layers if isinstance(layer, nn.Conv2d)]
    up = [layer for layer in decoder.layers if isinstance(layer, nn.ConvTranspose2d)]
    for conv, transposed in zip(down, reversed(up), strict=True):
        transposed.weight = conv.weight
    decoder.input.weight = nn.Parameter(encoder.output.weight.T)


def test_decoder_mirrors_encoder():
    """Without nonlinearity and bias the tied decoder is the encoder's adjoint."""
    encoder = ConvEncoder((2, 8, 16), (3, 5, 4), 6, activation=nn.Identity).double()
    decoder = ConvDecoder(6, (4, 5, 3), (2, 8, 16), activation=nn.Identity).double()
    _tie(encoder, decoder)
    x = torch.randn(2, 8, 16, dtype=torch.float64)
    z = torch.randn(6, dtype=torch.float64)
    torch.testing.assert_close(encoder(x) @ z, (x * decoder(z)).sum())


def test_each_convolution_halves_and_each_transposed_one_doubles():
    sides = []

    def record(_module, _inputs, output):
        sides.append(tuple(output.shape[2:]))

    encoder, decoder = ConvEncoder((1, 28, 12), (2, 3), 4), ConvDecoder(4, (3, 2), (1, 28, 12))
    for layer in (*encoder.layers, *decoder.layers):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(record)
    decoder(encoder(torch.zeros(1, 1, 28, 12)))
    assert sides == [(14, 6), (7, 3), (14, 6), (28, 12)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MLP(0, (3,), 2), "in_shape must be positive integers, got 0"),
        (lambda: MLP((2, -1), (3,), 2), r"in_shape must be positive integers, got \(2, -1\)"),
        (lambda: MLP(2, (3, 0), 2), r"hidden must be positive integers, got \(3, 0\)"),
        (lambda: MLP(2, (3,), 2.5), "out_shape must be positive integers, got 2.5"),
        (lambda: Linear((), 2), r"in_shape must be positive integers, got \(\)"),
        (lambda: Linear(True, 2), "in_shape must be positive integers, got True"),
        (
            lambda: ConvEncoder((1, 28, 28), (2, 3, 4), 5),
            r"in_shape must be .* divisible by 8, .* 3 layers, got \(1, 28, 28\)",
        ),
        (lambda: ConvEncoder((1, 8, 7), (2,), 5), r"in_shape must be .* got \(1, 8, 7\)"),
        (lambda: ConvEncoder((28, 28), (2,), 5), r"in_shape must be .* got \(28, 28\)"),
        (lambda: ConvDecoder(5, (2,), (1, 7, 8)), r"out_shape must be .* got \(1, 7, 8\)"),
        (lambda: ConvEncoder((1, 8, 8), (), 5), r"channels must be positive integers, got \(\)"),
    ],
)
def test_sizes_that_make_no_network(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_input_of_another_shape(built):
    network, in_shape, _ = built
    for wrong in ((3, *in_shape[:-1], in_shape[-1] + 1), in_shape[1:]):
        with pytest.raises(ValueError) as caught:
            network(torch.zeros(wrong, dtype=torch.float64))
        assert ", ".join(map(str, in_shape)) in str(caught.value)
        assert str(tuple(wrong)) in str(caught.value)
