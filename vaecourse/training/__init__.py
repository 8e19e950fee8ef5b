"""Training: `fit`, what it records, and how a run is kept and resumed."""

from vaecourse.training.fitting import fit
from vaecourse.training.history import History
from vaecourse.training.optimizers import adam

__all__ = ["History", "adam", "fit"]
