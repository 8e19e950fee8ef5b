"""Heads and priors: modules that return a `torch.distributions` object.

A head turns a network's output into a distribution. It has an `event_shape`, the shape of one draw,
and an `in_shape`, the shape that its network must produce. A prior needs no input. Every density
sums over the event and returns one number per batch element, in nats.
"""

from vaecourse.distributions.classes import Categorical, UniformClasses
from vaecourse.distributions.heads import (
    Bernoulli,
    Delta,
    Deterministic,
    Gaussian,
    GaussianFixedScale,
    GaussianSharedScale,
    Head,
    StandardNormal,
    build_head,
)
from vaecourse.distributions.negative_binomial import NegativeBinomial
from vaecourse.distributions.priors import MixturePrior, VampPrior

__all__ = [
    "Bernoulli",
    "Categorical",
    "Delta",
    "Deterministic",
    "Gaussian",
    "GaussianFixedScale",
    "GaussianSharedScale",
    "Head",
    "MixturePrior",
    "NegativeBinomial",
    "StandardNormal",
    "UniformClasses",
    "VampPrior",
    "build_head",
]
