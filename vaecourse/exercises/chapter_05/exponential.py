"""Another family."""

import torch

from vaecourse.exercises.exercise import Estimate, Exercise

__all__ = ["EXERCISE"]

COUNT = 20_000


def cases():
    """Rates, one for each of many draws, and uniform numbers."""
    cases = []
    for seed, rate in enumerate((2.0, 0.5)):
        generator = torch.Generator().manual_seed(seed)
        u = torch.rand(COUNT, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
        cases.append((torch.full((COUNT,), rate, dtype=torch.float64), u))
    return cases


def measure(answer, rate, u):
    """Two moments, and the gradient of the second in the rate, sample by sample."""
    rate = rate.clone().requires_grad_()
    with torch.enable_grad():
        z = answer(rate, u)
        squares = z.square()
        slope = torch.zeros_like(u)
        if z.shape == u.shape and z.requires_grad:
            (slope,) = torch.autograd.grad(squares.sum(), rate)
    columns = [x.detach() for x in (z, squares, slope)]
    return tuple(Estimate(x.mean(), x.std() / COUNT**0.5) for x in columns)


def truth(rate, u):
    """Exact moments, and the derivative of 2 / r²."""
    r = rate[0]
    exact = 1 / r, 2 / r**2, -4 / r**3
    return tuple(Estimate(value, torch.zeros_like(value)) for value in exact)


def a_function_of_u(answer):
    """The draw follows u, and nothing else."""
    u = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    z, again = (answer(torch.ones_like(u), u) for _ in range(2))
    if not torch.equal(z, again):
        return "Two calls with the same `u` give two results: take your chance from `u` alone."
    if (z < 0).any():
        return "Some of your numbers are negative. An exponential variable is not."
    return None


def negative(rate, u):
    """Your numbers are negative. The log of a number below one is: change the sign."""
    return torch.log1p(-u) / rate


def times_the_rate(rate, u):
    """You multiplied by the rate. A higher rate makes shorter times."""
    return -torch.log1p(-u) * rate


def density_for_distribution(rate, u):
    """You inverted the density. Invert the distribution function, 1 − exp(−r z)."""
    return -(u / rate).log() / rate


def function_itself(rate, u):
    """You applied the distribution function. Apply its inverse."""
    return 1 - torch.exp(-rate * u)


def scale_detached(rate, u):
    """Your numbers are right, but drawn or cut off: no gradient reaches the rate."""
    return (-torch.log1p(-u) / rate).detach() + 0 * rate


def with_u(rate, u):
    """One minus a uniform number is uniform, too."""
    return -u.log() / rate


def by_transform(rate, u):
    """The inverse distribution function of PyTorch."""
    return torch.distributions.Exponential(rate).icdf(u)


EXERCISE = Exercise(
    name="05-exponential",
    title="Another family",
    difficulty=2,
    minutes=15,
    parameters=("rate", "u"),
    cases=cases,
    truth=truth,
    measure=measure,
    properties=(a_function_of_u,),
    hints=(
        "For which z is the probability of less than z equal to u?",
        "Solve u = 1 − exp(−r z) for z.",
        "`-torch.log1p(-u) / rate`. Since 1 − u is uniform as well, `-u.log() / rate` does, too.",
    ),
    mistakes=(
        negative,
        times_the_rate,
        density_for_distribution,
        function_itself,
        scale_detached,
    ),
    alternatives=(with_u, by_transform),
    right="Any family whose distribution function can be inverted can be reparameterized.",
)
