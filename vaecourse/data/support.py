"""Whether numbers lie where a density or a transform takes them, said with a cure."""

from torch import Tensor
from torch.distributions import constraints

__all__ = ["check_inside"]


def check_inside(x: Tensor, support: object, name: str) -> None:
    """Raise a ValueError that says what `x` holds, unless all of it lies in `support`.

    Parameters
    ----------
    x : Tensor
        Any shape, with at least one number.
    support : Constraint
        `torch.distributions.constraints.unit_interval` or ``nonnegative_integer``; others are not
        looked at.
    name : str
        Who has that support.
    """
    if support is constraints.unit_interval:
        low, high = (value.item() for value in x.aminmax())
        # NaN is neither inside nor outside; who meets it names its rows.
        if low < 0 or high > 1:
            raise ValueError(
                f"{name} takes pixels in [0, 1]; x runs from {low:.4g} to {high:.4g}: "
                f"{_cure(low, high)}"
            )
    elif support is constraints.nonnegative_integer:
        odd = (x < 0) | (x != x.floor())
        if odd.any():
            raise ValueError(
                f"{name} takes counts, whole numbers from 0; x holds {x[odd][0].item():.4g}: give "
                "the raw counts, before any logarithm or scaling"
            )


def _cure(low: float, high: float) -> str:
    if low >= 0 and high <= 255:
        return "divide by 255" if high > 16 else "divide by the largest possible value"
    if low >= -1 and high <= 1:
        return "take (x + 1) / 2, or use GaussianSharedScale"
    return "scale them to [0, 1], or use GaussianSharedScale"
