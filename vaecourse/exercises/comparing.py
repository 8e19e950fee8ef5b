"""Compare values with each other, and say how they differ without telling the exact one."""

import numpy as np
import torch

from vaecourse.exercises.exercise import Estimate

__all__ = ["difference", "same"]

SIGMAS = 5.0


def same(one, other, tolerance: float) -> bool:
    """Tell whether two parts agree, within rounding or within their standard errors."""
    if isinstance(one, Estimate) or isinstance(other, Estimate):
        one, other = (x if isinstance(x, Estimate) else Estimate(x, 0 * x) for x in (one, other))
        if one.value.shape != other.value.shape:
            return False
        error = torch.hypot(one.error.double(), other.error.double())
        room = SIGMAS * error + tolerance * other.value.double().abs()
        return bool(((one.value - other.value).double().abs() <= room).all())
    if one is None or other is None:
        return all(x is None or not x.any() for x in (one, other))  # no gradient is zero
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or one.device != other.device:
            return False
        one, other = one.detach().double(), other.detach().double()
        scale = other[other.isfinite()].abs().max().item() if other.isfinite().any() else 0.0
        room = tolerance * (scale or 1.0)
        return torch.allclose(one, other, rtol=0.0, atol=room, equal_nan=True)
    if isinstance(one, float) and isinstance(other, float | int):
        return bool(np.isclose(one, other, rtol=tolerance, atol=0.0, equal_nan=True))
    return type(one) is type(other) and one == other


def difference(value, truth) -> str:
    """Say how a value differs from the exact one, without telling the exact one."""
    if isinstance(value, Estimate) or isinstance(truth, Estimate):
        return "It is not right, and chance does not explain it: it is off by many standard errors"
    if isinstance(value, float | int):
        return f"{value:g} is too {'small' if value < truth else 'large'}"
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return "That is not it"
    value, truth = value.detach().double().flatten(), truth.detach().double().flatten()
    scale = truth.abs().max().clamp(min=1e-30)
    large = truth.abs() > 1e-3 * scale
    ratio, offset = value[large] / truth[large], value - truth
    if len(offset) > 1 and (offset - offset.mean()).abs().max() < 1e-3 * offset.mean().abs():
        way = "high" if offset.mean() > 0 else "low"
        return f"Every value is {abs(offset.mean()):.3g} too {way}"
    one_ratio = len(ratio) > 1 and (ratio - ratio.mean()).abs().max() < 1e-3 * ratio.mean().abs()
    if one_ratio and f"{ratio.mean():.3g}" != "1":
        return f"Every value is {ratio.mean():.3g} times the exact one"
    if len(value) == 1:
        return f"Your value, {value.item():.4g}, is too {'high' if value > truth else 'low'}"
    share = 100 * ((value - truth).abs() > 1e-3 * scale).double().mean()
    return f"It is not the exact value: {share:.0f} % of the entries are wrong"
