"""The gap of many samples, on paper."""

import math

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def gap_cases():
    """Shifts and widths of q in units of the posterior's standard deviation."""
    return [
        (torch.tensor([0.5, 0.0, 1.0]), torch.tensor([1.2, 0.8, 1.5]), 10),
        (torch.linspace(-1.5, 1.5, 40), torch.linspace(0.9, 2.0, 40), 100),
        (torch.tensor([0.3]).double(), torch.tensor([1.1]).double(), 1000),
    ]


def gap_truth(shift, width, num_samples):
    """The integral of the squared posterior over q, by quadrature on a fine grid."""
    z = torch.linspace(-40, 40, 40_001, dtype=torch.float64)[:, None]
    log_p = -0.5 * z.square() - 0.5 * math.log(2 * math.pi)
    log_q = -0.5 * ((z - shift) / width).square() - (width * math.sqrt(2 * math.pi)).log()
    second_moment = (2 * log_p - log_q).exp().sum(0) * (80 / 40_000)
    return (second_moment - 1) / (2 * num_samples)


def second_moment(shift, width):
    """Return the mean square of the weights over p(x) squared."""
    spread = 2 * width.square() - 1
    return width.square() / spread.sqrt() * (shift.square() / spread).exp()


def half_forgotten(shift, width, num_samples):
    """You returned twice the gap: the ½ of the logarithm's second derivative is missing."""
    return (second_moment(shift, width) - 1) / num_samples


def mean_not_subtracted(shift, width, num_samples):
    """You used the mean square of the weights. A variance subtracts the squared mean, here 1."""
    return second_moment(shift, width) / (2 * num_samples)


def kl_over_k(shift, width, num_samples):
    """You divided the ELBO's gap, the KL divergence, by K. For large K a variance takes over."""
    kl = 0.5 * (width.square() + shift.square() - 1) - width.log()
    return kl / num_samples


def no_square_in_the_root(shift, width, num_samples):
    """Your spread is off: under the root stands 2·width² − 1, which must be positive."""
    spread = 2 * width - 1
    moment = width.square() / spread.sqrt() * (shift.square() / spread).exp()
    return (moment - 1) / (2 * num_samples)


def root_of_k(shift, width, num_samples):
    """You divided by the root of K. So does an error; the gap is a bias and shrinks faster."""
    return (second_moment(shift, width) - 1) / (2 * math.sqrt(num_samples))


def sign_turned(shift, width, num_samples):
    """You returned minus the gap. A gap is how far the bound lies below log p(x)."""
    return -(second_moment(shift, width) - 1) / (2 * num_samples)


def gap_by_logs(shift, width, num_samples):
    """A right answer by the logarithm of the mean square."""
    spread = 2 * width**2 - 1
    exponent = 2 * width.log() - 0.5 * spread.log() + shift**2 / spread
    return exponent.expm1() / (2 * num_samples)


def by_hand(shift, width, num_samples):
    """The mean square of the weights, less one."""
    spread = 2 * width**2 - 1
    square = width**2 / spread.sqrt() * (shift**2 / spread).exp()
    return (square - 1) / (2 * num_samples)


EXERCISE = Exercise(
    name="13-leading-gap",
    title="The gap of many samples, on paper",
    difficulty=3,
    minutes=25,
    parameters=("shift", "width", "num_samples"),
    cases=gap_cases,
    truth=gap_truth,
    hints=(
        "Measure z in standard deviations of the posterior, from its mean: it becomes N(0, 1), and "
        "q is N(shift, width²). What is the relative variance of the weight?",
        "The mean of (p/q)² over q is the integral of p²/q. Collect the squares in the exponent: "
        "its precision is 2 − 1/width². Then complete the square.",
        "With `spread = 2 * width**2 - 1` the mean square is `width**2 / spread.sqrt() * (shift**2 "
        "/ spread).exp()`. Subtract 1 and divide by 2K.",
    ),
    mistakes=(
        half_forgotten,
        mean_not_subtracted,
        kl_over_k,
        no_square_in_the_root,
        root_of_k,
        sign_turned,
    ),
    alternatives=(gap_by_logs,),
    formulas=(by_hand,),
    right="Below a width of 0.71 the variance is infinite, and the gap no longer falls as 1/K.",
)
