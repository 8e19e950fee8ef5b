"""Experiments of a second or less, for `test_experiments*.py` and the workers that they start."""

import os
import signal
from functools import partial, wraps
from pathlib import Path

import numpy as np

from vaecourse.experiments import Experiment, Trial, run_grid, run_trial
from vaecourse.experiments.cli import BY_NAME
from vaecourse.experiments.rows import sort_out
from vaecourse.experiments.trials import split_of
from vaecourse.experiments.work import Work

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


def _stay(_work: Work, *, place: Path) -> dict:
    """Write the number of this process into a pipe and stay until killed; so long it is open."""
    with place.open("wb", buffering=0) as pipe:
        pipe.write(f"{os.getpid()}\n".encode())
        while True:
            signal.pause()


def staying(place: Path) -> Experiment:
    """Return an experiment that never ends."""
    return GUESS._replace(name="stay", run=partial(_stay, place=place))


GUESS = Experiment("guess", "A guess", _guess, ("logistic",))


def grid() -> list[Trial]:
    """Return trials with and without a shared M1, for two seeds."""
    names = ("m1_logistic", "m1_svm", "pixels_logistic", GUESS)
    return [trial(name, seed) for name in names for seed in (0, 1)]


def mortal_grid(marker: Path) -> list[Trial]:
    """Return the grid with one trial more, in the midst, which kills its process once."""
    return [*grid()[:3], trial(mortal("cpc_vae", marker, 2)), *grid()[3:]]


def write_all(folder: Path, trials: list[Trial]) -> None:
    """Make the rows that are missing, as the command line does."""
    for _ in run_grid(sort_out(folder, trials)[1], folder=folder):
        pass


def die_in_a_trial(name: str, marker: str, number: int) -> None:
    """Run a trial that kills its process."""
    run_trial(trial(mortal(name, Path(marker), number)))


def die_in_a_grid(folder: str, marker: str) -> None:
    """Make the rows of a grid until one kills the process."""
    write_all(Path(folder), mortal_grid(Path(marker)))
