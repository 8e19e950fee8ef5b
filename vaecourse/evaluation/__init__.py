"""Numbers about a trained model, computed in batches, without gradients, from a fixed seed."""

from vaecourse.evaluation.averages import evaluate
from vaecourse.evaluation.classification import confusion_matrix, error_rate, predict
from vaecourse.evaluation.codes import active_units, embed, reconstruct, sample_prior
from vaecourse.evaluation.marginal import LogMarginal, log_marginal
from vaecourse.evaluation.neighbors import (
    MidpointRatio,
    midpoint_ratio,
    nearest_distance,
    neighbor_agreement,
)

__all__ = [
    "LogMarginal",
    "MidpointRatio",
    "active_units",
    "confusion_matrix",
    "embed",
    "error_rate",
    "evaluate",
    "log_marginal",
    "midpoint_ratio",
    "nearest_distance",
    "neighbor_agreement",
    "predict",
    "reconstruct",
    "sample_prior",
]
