"""The models with labels: shapes, shared products, generation, prediction, and M1+M2."""

import pytest
import torch
import toy
from sklearn import metrics
from torch import distributions as td

import vaecourse as vc
from vaecourse.evaluation.classification import confusion_matrix, error_rate, predict
from vaecourse.models.semi_supervised import UniformClasses, latent_batch, sample_latents
from vaecourse.networks import MLP, ConditionalMLP
from vaecourse.objectives import m2, prediction_constrained

IMAGE, L, C = (1, 4, 4), 3, 5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_a_conditional_mlp_is_an_mlp_on_input_and_one_hot_label():
    network = ConditionalMLP((2, 3), C, (7, 4), (1, 2)).double()
    joined = MLP(6 + C, (7, 4), (1, 2)).double()
    weight = torch.cat([network.first.weight, network.label.weight.T], dim=1)
    values = [weight, network.first.bias, *network.layers.parameters()]
    with torch.no_grad():
        for parameter, value in zip(joined.parameters(), values, strict=True):
            parameter.copy_(value)
    x, y = torch.randn(9, 2, 3, dtype=torch.float64), torch.arange(9) % C
    one_hot = torch.nn.functional.one_hot(y, C).double()
    torch.testing.assert_close(network(x, y), joined(torch.cat([x.flatten(1), one_hot], dim=1)))


def test_every_class_at_once_is_every_class_by_itself():
    network = ConditionalMLP((2, 3), C, (7,), 4).double()
    x = torch.randn(9, 2, 3, dtype=torch.float64)
    together = network(x, torch.arange(C)[:, None])
    each = [network(x, torch.full((9,), y)) for y in range(C)]
    torch.testing.assert_close(together, torch.stack(each))


def test_a_class_may_ask_about_any_row_of_x_and_as_often_as_it_likes():
    model = vc.mlp_m2(6, L, C).double()
    x, y = torch.randn(4, 6, dtype=torch.float64), torch.tensor([0, 3, 1, 4, 0])
    rows = torch.tensor([2, 2, 0, 3, 2])
    some, gathered = model.encode(x, y, rows), model.encode(x[rows], y)
    torch.testing.assert_close(some.mean, gathered.mean)
    torch.testing.assert_close(some.stddev, gathered.stddev)


def test_the_product_with_the_input_is_computed_once_for_all_classes():
    network = ConditionalMLP(6, C, (7,), 4)
    seen = []
    network.first.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    network(torch.randn(9, 6), torch.arange(C)[:, None])
    assert seen == [(9, 7)]


def test_the_first_layer_starts_as_one_layer_of_all_inputs_would():
    """Weights of x and y are uniform within one over the root of their number."""
    network = ConditionalMLP(30, 20, (2000,), 4)
    limit = 50**-0.5
    assert 0.99 * limit < network.label.weight.abs().max() <= limit


@pytest.mark.parametrize("num_classes", [0, -2, 2.0])
def test_num_classes_must_be_a_positive_integer(num_classes):
    message = f"num_classes must be a positive integer, got {num_classes}"
    for build in (vc.mlp_m2, vc.mlp_prediction_constrained_vae):
        with pytest.raises(ValueError, match=message):
            build(IMAGE, L, num_classes)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_dropout_is_a_share(dropout):
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\)"):
        vc.mlp_prediction_constrained_vae(IMAGE, L, C, dropout=dropout)


def test_m2_shapes():
    model, x, y = vc.mlp_m2(IMAGE, L, C, (7,)), torch.rand(6, *IMAGE), torch.arange(6) % C
    assert model.class_prior().probs.tolist() == pytest.approx([1 / C] * C)
    assert model.classify(x).logits.shape == (6, C)
    for labels, shape in ((y, (6,)), (torch.arange(C)[:, None], (C, 6))):
        posterior = model.encode(x, labels)
        assert (posterior.batch_shape, posterior.event_shape) == (shape, (L,))
        z = posterior.rsample((4,))
        likelihood = model.decode(z, labels)
        assert (likelihood.batch_shape, likelihood.event_shape) == ((4, *shape), IMAGE)
        assert likelihood.log_prob(x).shape == (4, *shape)
        assert td.kl_divergence(posterior, model.prior()).shape == shape


def test_prediction_constrained_vae_shapes():
    model, x = vc.mlp_prediction_constrained_vae(IMAGE, L, C, (7,)), torch.rand(6, *IMAGE)
    z = model.encode(x).rsample((4,))
    assert model.decode(z).log_prob(x).shape == (4, 6)
    assert model.classify(z).logits.shape == (4, 6, C)
    assert model.encode(model.decode(z).mean).rsample().shape == (4, 6, L)
    expected = model.classify(model.encode(x).mean).probs
    torch.testing.assert_close(model.predict(x).probs, expected)


def test_conditional_generation_follows_class_and_style():
    """A class is which pixels are bright: p(x|y, z) lights the pixels of y, whatever z is."""
    data = toy.batch(300)
    model = toy.model(lambda event, latent: vc.mlp_m2(event, latent, 3, (16,)))
    options = {"epochs": 30, "lr": 1e-2, "schedules": {"alpha": 1.0}}
    toy.fit(model, m2, data, **options)
    z = model.prior().sample((50,))
    drawn = model.decode(z, torch.arange(3)[:, None]).mean
    assert drawn.shape == (3, 50, toy.D)
    brightest = drawn.reshape(3, 50, 2, 3).mean(2).argmax(-1)
    assert torch.equal(brightest, torch.arange(3)[:, None].expand(3, 50))
    assert error_rate(model, toy.batch(60, seed=5)) == 0


def test_a_state_dict_carries_each_model():
    x, y = torch.rand(6, *IMAGE), torch.arange(6) % C
    first, second = (vc.mlp_m2(IMAGE, L, C, (7,)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.encode(x, y).mean, second.encode(x, y).mean)
    first, second = (vc.mlp_prediction_constrained_vae(IMAGE, L, C, (7,)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.predict(x).probs, second.predict(x).probs)


def test_uniform_classes_draws_every_class_alike():
    prior = UniformClasses(C)()
    assert prior.log_prob(torch.arange(C)).exp().tolist() == pytest.approx([1 / C] * C)
    assert list(UniformClasses(C).state_dict()) == []


def test_latent_batch_holds_posteriors_and_sampling_draws_from_them():
    vae, data = toy.model(), toy.batch(30)
    latents = latent_batch(vae, data, batch_size=7)
    posterior = vae.encode(data.x)
    assert latents.x.shape == (30, 2, 2)
    assert torch.equal(latents.y, data.y)
    torch.testing.assert_close(latents.x[:, 0], posterior.mean.detach())
    torch.testing.assert_close(latents.x[:, 1], posterior.stddev.detach())
    many = latents.x[:1].expand(20_000, 2, 2)
    drawn = sample_latents(many, torch.Generator().manual_seed(0))
    error = latents.x[0, 1] / 20_000**0.5
    assert ((drawn.mean(0) - latents.x[0, 0]).abs() < 4 * error).all()
    torch.testing.assert_close(drawn.std(0), latents.x[0, 1], rtol=0.03, atol=0)


def test_stacked_m2_trains_on_latents_and_predicts_from_images():
    data = toy.batch(300)
    first = toy.model()
    toy.fit(first, data=data, epochs=30, lr=1e-2)
    second = vc.mlp_m2(2, 2, 3, (16,), likelihood=vc.Gaussian)
    options = {"epochs": 40, "lr": 1e-2, "schedules": {"alpha": 5.0}, "transform": sample_latents}
    toy.fit(second, m2, latent_batch(first, data), **options)
    model, fresh = vc.StackedM2(first, second), toy.batch(60, seed=5)
    assert error_rate(model, fresh) < 0.1
    expected = second.classify(first.encode(fresh.x).mean).probs
    torch.testing.assert_close(model.predict(fresh.x).probs, expected)
    z, y = second.prior().sample((4, 3)), torch.arange(3)
    drawn = model.decode(z, y)
    assert drawn.mean.shape == (4, 3, toy.D)
    torch.testing.assert_close(drawn.mean, first.decode(second.decode(z, y).mean).mean)


def test_error_rate_and_confusion_matrix_agree_with_scikit_learn():
    train = toy.batch(300)
    x = train.x
    model = toy.model(lambda event, latent: vc.mlp_prediction_constrained_vae(event, latent, 3))
    options = {"schedules": {"multiplier": 10.0}, "epochs": 5, "lr": 1e-2}
    toy.fit(model, prediction_constrained, train, **options)
    guess = predict(model, x, batch_size=7).argmax(1)
    row = torch.arange(300)
    y = torch.where(row % 3 == 0, (guess + 1 + row % 2) % 3, guess)
    data = vc.Batch(x, torch.where(row % 4 == 0, -1, y))
    known = data.y >= 0
    expected = 1 - metrics.accuracy_score(data.y[known], guess[known])
    assert 0.2 < expected < 0.5
    assert error_rate(model, data) == pytest.approx(expected)
    matrix = metrics.confusion_matrix(data.y[known], guess[known], labels=range(3))
    assert (matrix > 0).sum() > 3
    assert confusion_matrix(model, data).tolist() == matrix.tolist()


def test_error_rate_needs_labels():
    data = vc.Batch(torch.rand(3, toy.D), torch.full((3,), -1))
    model = vc.mlp_prediction_constrained_vae(toy.D, 2, 3, (16,))
    with pytest.raises(ValueError, match="error_rate needs at least one example with a label"):
        error_rate(model, data)
