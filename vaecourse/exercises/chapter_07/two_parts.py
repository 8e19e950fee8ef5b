"""An estimate in two parts."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(images, subset, seed, dtype=torch.float64):
    """Bounds that vary much over images, and gains that vary little."""
    return -90 + normal((images,), seed, dtype, 25.0), 4 + normal((subset,), seed + 1, dtype, 1.5)


def cases():
    """Test sets of different size."""
    return [case(50, 5, 1), case(2000, 60, 3), case(300, 20, 5, torch.float32)]


def truth(bounds, gains):
    """NumPy's means and variances."""
    bounds, gains = bounds.numpy(), gains.numpy()
    error = bounds.var(ddof=1) / bounds.size + gains.var(ddof=1) / gains.size
    nats = -(bounds.mean() + gains.mean())
    return torch.tensor(nats), torch.tensor(error**0.5)


def error_of(x):
    """Standard error of a mean."""
    return x.std() / len(x) ** 0.5


def errors_added(bounds, gains):
    """You added the two errors. Independent errors add up as squares."""
    return -(bounds.mean() + gains.mean()), error_of(bounds) + error_of(gains)


def error_of_the_gain_alone(bounds, gains):
    """Your error leaves out the first part: other test images have other bounds."""
    return -(bounds.mean() + gains.mean()), error_of(gains)


def error_of_the_bound_alone(bounds, gains):
    """Your error leaves out the gain, which you know from a few images only."""
    return -(bounds.mean() + gains.mean()), error_of(bounds)


def spread_for_error(bounds, gains):
    """You returned the spread over images. The error of a mean falls with their number."""
    return -(bounds.mean() + gains.mean()), (bounds.var() + gains.var()).sqrt()


def one_count_for_both(bounds, gains):
    """You divided both variances by the number of all images. The gain has fewer."""
    return -(bounds.mean() + gains.mean()), ((bounds.var() + gains.var()) / len(bounds)).sqrt()


def gain_subtracted(bounds, gains):
    """You subtracted the gain. The log-likelihood lies *above* the bound."""
    return -(bounds.mean() - gains.mean()), (error_of(bounds) ** 2 + error_of(gains) ** 2).sqrt()


def sign_kept(bounds, gains):
    """You returned log p(x). Published tables have the negative log-likelihood."""
    return bounds.mean() + gains.mean(), (error_of(bounds) ** 2 + error_of(gains) ** 2).sqrt()


def variance_for_error(bounds, gains):
    """You returned the square of the error: take the root."""
    return -(bounds.mean() + gains.mean()), error_of(bounds) ** 2 + error_of(gains) ** 2


def by_hypot(bounds, gains):
    """A right triangle of errors."""
    errors = [x.std(correction=1) * len(x) ** -0.5 for x in (bounds, gains)]
    return bounds.neg().mean() - gains.mean(), torch.hypot(*errors)


def by_hand(bounds, gains):
    """Means, and squared errors."""
    error = bounds.var() / len(bounds) + gains.var() / len(gains)
    return -(bounds.mean() + gains.mean()), error.sqrt()


EXERCISE = Exercise(
    name="07-two-parts",
    title="An estimate in two parts",
    difficulty=2,
    minutes=10,
    parameters=("bounds", "gains"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    hints=(
        "Which of the two averages rests on many images, and which on few?",
        "log p(x) is the bound plus the gain. Each mean has an error of its own, σ/√n with its own "
        "n, and the squares of the errors add up.",
        "`-(bounds.mean() + gains.mean())` and `(bounds.var() / len(bounds) + gains.var() / "
        "len(gains)).sqrt()`.",
    ),
    mistakes=(
        errors_added,
        error_of_the_gain_alone,
        error_of_the_bound_alone,
        spread_for_error,
        one_count_for_both,
        gain_subtracted,
        sign_kept,
        variance_for_error,
    ),
    alternatives=(by_hypot,),
    formulas=(by_hand,),
    right="Sixty expensive images and ten thousand cheap ones make one honest number.",
)
