"""The course's experiment: what few labels are worth to each model, as rows of one table.

A `Trial` is a row to be made: an `Experiment`, a data set, a number of labels and a seed.
`run_trial` makes it. The seed draws the labels (stratified, from the training split alone), the
first weights and the noise. Recipes, all in `vaecourse.experiments.recipes`, were chosen on
validation images; test images are looked at once, when a row is finished.
"""

from vaecourse.experiments.grid import run_grid
from vaecourse.experiments.run import run_trial
from vaecourse.experiments.table import table
from vaecourse.experiments.trials import EXPERIMENTS, Experiment, Trial

__all__ = ["EXPERIMENTS", "Experiment", "Trial", "run_grid", "run_trial", "table"]
