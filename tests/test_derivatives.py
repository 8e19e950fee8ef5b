"""First and second derivatives of every density, divergence and objective, by finite differences.

Twice: as `torch.autograd` takes them, and by the transforms of `torch.func`.
"""

import inspect
from functools import partial

import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.distributions import constraints
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

import vaecourse as vc
from vaecourse import distributions, objectives
from vaecourse.distributions import priors
from vaecourse.divergences import kl, sampled_kl
from vaecourse.runtime import isolated_rng

D, L, C = 4, 2, 3
PIXELS = torch.tensor([[0.0, 1.0, 0.3, 1.0], [1.0, 0.0, 0.0, 0.6]]).double()
COUNTS = torch.tensor([[0.0, 1.0, 7.0, 40.0], [3.0, 0.0, 12.0, 2.0]]).double()
GIVEN = {"GaussianFixedScale": 0.7, "GaussianSharedScale": 0.7, "NegativeBinomial": 2.0}
"""Numbers at which a head is tried where the logarithm of its own, one, would hide a term."""


def _heads():
    """Every head that data may have, with data: a new one is among them."""
    heads = {}
    for name in distributions.__all__:
        support = getattr(getattr(distributions, name), "support", None)
        if isinstance(support, constraints.Constraint):
            given = [GIVEN[name]] if name in GIVEN else []
            data = COUNTS if support is constraints.nonnegative_integer else PIXELS
            heads[name] = getattr(distributions, name)(D, *given), data
    heads["Categorical"] = distributions.Categorical(C), torch.tensor([0, 2])
    return heads


HEADS = _heads()


def _double(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _function(module, evaluate):
    """Return a function of the tensors of `module`'s parameters, and where they stand."""
    module = module.double()
    names = [name for name, _ in module.named_parameters()]

    def value(*tensors):
        with isolated_rng(3):
            return evaluate(
                partial(functional_call, module, dict(zip(names, tensors, strict=True)))
            )

    return value, tuple(p.detach().clone() for p in module.parameters())


def _head(name):
    head, x = HEADS[name]
    inputs = _double(len(x), *head.in_shape)
    head = head.double()
    names = [name for name, _ in head.named_parameters()]

    def log_prob(given, *tensors):
        return functional_call(head, dict(zip(names, tensors, strict=True)), (given,)).log_prob(x)

    return log_prob, (inputs, *(p.detach().clone() for p in head.parameters()))


def _pixels_too():
    """Densities in their argument, which a decoder's Hessian or a score needs."""
    return {
        f"{name} in x": (lambda x, head=head, inputs=inputs: head(inputs).log_prob(x), (given,))
        for name, (head, x) in HEADS.items()
        if x.is_floating_point()
        for given in [x.double() + 0.25]
        for inputs in [_double(len(x), *head.in_shape)]
    }


def _priors():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(D, 2 * L), vc.Gaussian(L)).double()
    kinds = {
        "MixturePrior": priors.MixturePrior(L, 3),
        "VampPrior": priors.VampPrior(encoder, PIXELS),
    }
    z = _double(3, L)
    found = {n: _function(prior, lambda call: call(()).log_prob(z)) for n, prior in kinds.items()}
    found |= {
        f"{name} in z": (lambda z, prior=prior: prior().log_prob(z), (z,))
        for name, prior in (kinds | {"StandardNormal": vc.StandardNormal(L).double()}).items()
    }
    return found


def _divergences():
    def gaussian(out):
        return vc.Gaussian(L)(out)

    def sampled(q, p):
        with isolated_rng(0):
            return sampled_kl(gaussian(q), gaussian(p), 3)

    pair = _double(3, 2 * L), _double(3, 2 * L, seed=1)
    prior = vc.StandardNormal(L).double()
    return {
        "kl of two Gaussians": (lambda q, p: kl(gaussian(q), gaussian(p)), pair),
        "kl to N(0, I)": (lambda q: kl(gaussian(q), prior()), pair[:1]),
        "kl of classes": (
            lambda q, p: kl(td.Categorical(logits=q), td.Categorical(logits=p)),
            pair,
        ),
        "sampled_kl": (sampled, pair),
    }


class _Loss(nn.Module):
    def __init__(self, model, objective, batch):
        super().__init__()
        self.model, self.objective, self.batch = model, objective, batch

    def forward(self):
        return self.objective(self.model, self.batch)["loss"]


def _model(kind):
    with isolated_rng(0):
        if kind == "m2":
            return vc.mlp_m2(D, L, C, (3,), activation=nn.Tanh)
        if kind == "pc":
            return vc.mlp_prediction_constrained_vae(D, L, C, (3,), activation=nn.Tanh)
        if kind == "counts":
            return vc.mlp_count_vae(D, L, 2, (3,), activation=nn.Tanh)
        if kind == "code":
            return vc.mlp_autoencoder(D, L, (3,), activation=nn.Tanh)
        return vc.mlp_vae(D, L, (3,), activation=nn.Tanh)


LABELED = vc.Batch(PIXELS, torch.tensor([1, -1]))
CELLS = vc.Batch(torch.cat([COUNTS, torch.tensor([[0.0], [1.0]]).double()], 1), LABELED.y)
KINDS = {
    "Codes": "code",
    "Conditioned": "counts",
    "LatentClassifier": "pc",
    "LatentModel": "vae",
    "ModelOfClasses": "m2",
}
OPTIONS = {
    "elbo": {"beta": 0.7, "num_samples": 2},
    "sampled_elbo": {"beta": 0.7},
    "iwae": {"num_samples": 3},
    "total_correlation": {"beta": 3.0},
    "consistency_constrained": {"consistency": 2.0, "detach_reconstruction": False},
}
"""Options that a test asks for besides those that an objective cannot do without."""
NO_SLOPE_OF_A_SLOPE = {"score_function_elbo"}


def _objectives():
    """Every objective with the kind of model that it names: a new one is among them."""
    found = {}
    for name in sorted(set(objectives.__all__) - NO_SLOPE_OF_A_SLOPE):
        objective = getattr(objectives, name)
        if not inspect.isfunction(objective):
            continue
        model, _, *keywords = inspect.signature(objective).parameters.values()
        asked = {k.name: 2.0 for k in keywords if k.kind is k.KEYWORD_ONLY and k.default is k.empty}
        found[name] = KINDS[model.annotation.__name__], objective, asked | OPTIONS.get(name, {})
    return found


OBJECTIVES = _objectives()
ESTIMATES = {
    "sampled_elbo, sticking the landing": (
        "vae",
        objectives.sampled_elbo,
        {"sticking_the_landing": True},
    ),
    "iwae, doubly reparameterized": (
        "vae",
        objectives.iwae,
        {"num_samples": 3, "doubly_reparameterized": True},
    ),
    "iwae, two of three": ("vae", objectives.iwae, {"num_samples": 3, "gradient_samples": 2}),
    "score_function_elbo": ("vae", objectives.score_function_elbo, {}),
    "m2, one class drawn": ("m2", objectives.m2, {"alpha": 2.0, "sum_labels": False}),
}


def _objective(kind, objective, options):
    batch = CELLS if kind == "counts" else LABELED
    loss = _Loss(_model(kind), partial(objective, **options), batch)
    return _function(loss, lambda call: call(()))


CASES = (
    {name: partial(_head, name) for name in HEADS}
    | {name: (lambda case=case: case) for name, case in _pixels_too().items()}
    | {name: (lambda case=case: case) for name, case in _priors().items()}
    | {name: (lambda case=case: case) for name, case in _divergences().items()}
    | {name: partial(_objective, *case) for name, case in OBJECTIVES.items()}
)


def _wanting(tensors):
    return tuple(tensor.clone().requires_grad_() for tensor in tensors)


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives_are_those_of_finite_differences(name):
    function, inputs = CASES[name]()
    assert torch.autograd.gradcheck(function, _wanting(inputs), fast_mode=True)
    assert torch.autograd.gradgradcheck(function, _wanting(inputs), fast_mode=True)


# PyTorch's own divergence of two categorical distributions cannot be batched.
@pytest.mark.parametrize("name", [name for name in CASES if name != "kl of classes"])
def test_the_transforms_of_torch_func_agree_with_autograd(name):
    function, (first, *rest) = CASES[name]()

    def total(tensor):
        return function(tensor, *rest).sum()

    expected = torch.autograd.functional.hessian(total, first)
    slope = torch.autograd.functional.jacobian(total, first)
    same = partial(torch.testing.assert_close, rtol=1e-7, atol=1e-7)  # the digits of its trigamma
    same(grad(total)(first), slope)
    along = _double(*first.shape, seed=5)
    same(jvp(total, (first,), (along,))[1], (slope * along).sum())
    forward = partial(jacfwd, randomness="same")
    for twice in (jacrev(jacrev(total)), forward(jacrev(total)), forward(forward(total))):
        same(twice(first), expected)
    same(vmap(grad(total), randomness="same")(first.expand(2, *first.shape))[1], slope)


def test_the_hessian_of_a_decoder_is_not_zero():
    """A kernel whose slope autograd takes for a constant has a Hessian of zeros, and no error."""
    with isolated_rng(0):
        model = vc.mlp_vae(D, L, hidden=(8,)).double()
    z = _double(L)

    def log_likelihood(z):
        return model.decode(z).log_prob(PIXELS[0])

    found = hessian(log_likelihood)(z)

    def by_torch(z):
        logits = model.decode(z).base_dist.logits
        return td.Bernoulli(logits=logits, validate_args=False).log_prob(PIXELS[0]).sum()

    torch.testing.assert_close(found, torch.autograd.functional.hessian(by_torch, z))
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_estimate_of_a_gradient_refuses_to_be_differentiated_again(name):
    function, inputs = _objective(*ESTIMATES[name])
    wanting = _wanting(inputs)
    first = torch.autograd.grad(function(*wanting).sum(), wanting, create_graph=True)
    with pytest.raises(RuntimeError, match="holds some of its parts constant"):
        torch.autograd.grad(sum(part.square().sum() for part in first), wanting)
    slopes = grad(lambda *tensors: function(*tensors).sum(), tuple(range(len(inputs))))(*inputs)
    torch.testing.assert_close(slopes, tuple(part.detach() for part in first))


def test_without_the_private_question_counts_take_the_slow_way(monkeypatch):
    function, inputs = _head("NegativeBinomial")
    quick = torch.autograd.functional.jacobian(function, inputs)
    monkeypatch.delattr(torch._C, "_are_functorch_transforms_active")
    slow = torch.autograd.functional.jacobian(function, inputs)
    torch.testing.assert_close(slow, quick)
    assert "LogProb" not in type(function(*_wanting(inputs)).grad_fn.next_functions[0][0]).__name__
