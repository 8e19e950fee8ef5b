"""Experiments of a second or less, for `test_experiments*.py` and the workers that they start."""

import os
import signal
from functools import partial, wraps
from pathlib import Path

import numpy as np

from vaecourse.experiments import Experiment, Trial
from vaecourse.experiments.cli import BY_NAME
from vaecourse.experiments.trials import split_of
from vaecourse.experiments.work import Work
from vaecourse.training import _name

BUDGET, LABELS = 0.02, 50


def trial(experiment, seed=0, **changes):
    """Return a trial on scikit-learn's digits."""
    experiment = BY_NAME[experiment] if isinstance(experiment, str) else experiment
    options = {"dataset": "digits", "labels": LABELS, "seed": seed, "budget": BUDGET}
    return Trial(experiment, **(options | {"data": split_of("digits").identity} | changes))


def _die_once(work: Work, *, run, marker: Path, number: int) -> dict:
    """Run a method, but kill the process in the middle of a fit, unless `marker` exists."""
    fit = work.fit

    def mortal_fit(model, objective, recipe, steps, **options):
        left = [steps // 2]

        @wraps(objective)
        def mortal(model, batch, **keywords):
            left[0] -= model.training
            if left[0] == 0 and work.fits == number and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return objective(model, batch, **keywords)

        mortal.__qualname__ = _name(objective)
        fit(model, mortal, recipe, steps, checkpoint_every=1, **options)

    work.fit = mortal_fit
    return run(work)


def mortal(name: str, marker: Path, number: int = 1) -> Experiment:
    """Return an experiment whose process is killed, once, in the middle of a fit by number."""
    known = BY_NAME[name]
    return known._replace(run=partial(_die_once, run=known.run, marker=marker, number=number))


def _guess(work: Work) -> dict:
    """Find errors that depend on the seed, without training."""
    error = float(np.random.default_rng(work.seed).random())
    return {"validation_error": error, "test_error": error / 2}


GUESS = Experiment("guess", "A guess", _guess, ("logistic",))
