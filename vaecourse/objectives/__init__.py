"""Objectives: pure functions of a model and a batch that return named terms.

Every objective is ``f(model, batch, **options) -> dict``. Each entry has shape ``(B,)`` and is in
nats. ``loss`` is what training differentiates; ``elbo`` is what a table reports. The two are
separate entries because they differ as soon as a weight is not one.
"""

from vaecourse.objectives.bounds import elbo, reconstruction
from vaecourse.objectives.class_sums import m2
from vaecourse.objectives.conditional import given_covariates
from vaecourse.objectives.constraints import consistency_constrained, prediction_constrained
from vaecourse.objectives.contract import Objective
from vaecourse.objectives.estimates import sampled_elbo, score_function_elbo
from vaecourse.objectives.importance import iwae
from vaecourse.objectives.total_correlation import total_correlation

__all__ = [
    "Objective",
    "consistency_constrained",
    "elbo",
    "given_covariates",
    "iwae",
    "m2",
    "prediction_constrained",
    "reconstruction",
    "sampled_elbo",
    "score_function_elbo",
    "total_correlation",
]
