"""Processes that begin their first fit, are stopped there, and fit again."""

import importlib.abc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STOPS = 10
INHERITED = []
"""The trial, where forked processes find it: it cannot be sent to them."""


def asked(kind):
    """Return what first fits with an optimizer of a kind come to, stopped nowhere and anywhere."""
    path = os.pathsep.join([str(HERE.parent), str(HERE)])
    done = subprocess.run(
        [sys.executable, __file__, kind],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        timeout=300,
        capture_output=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout)


def main(kind):
    """Print the moments and losses of a first fit, and of one that was stopped at each of ten.

    Every trial is a process that has loaded the package and fitted nothing.
    """
    import torch
    import toy
    from torch.overrides import TorchFunctionMode

    moments = {"calls": 0, "imports": 0, "stop": None}

    def pass_moment(what):
        moments[what] += 1
        if moments["calls"] + moments["imports"] == moments["stop"]:
            signal.raise_signal(signal.SIGINT)

    class Calls(TorchFunctionMode):
        def __torch_function__(self, function, _types, args=(), kwargs=None):
            pass_moment("calls")
            return function(*args, **kwargs or {})

    class Imports(importlib.abc.MetaPathFinder):
        def find_spec(self, _name, _path=None, _target=None):
            pass_moment("imports")

    def trial(stop):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        moments["stop"] = stop
        sys.meta_path.insert(0, Imports())
        options = {} if kind == "adam" else {"optimizer": torch.optim.SGD}
        model, stopped = toy.model(), False
        try:
            with Calls():
                loss = toy.fit(model, steps=3, **options)["loss"]
        except KeyboardInterrupt:
            stopped = True
            loss = toy.fit(toy.model(), steps=3, **options)["loss"]
        return moments | {"stopped": stopped, "loss": loss.tolist()}

    INHERITED.append(trial)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        (whole,) = pool.map(run_trial, [None], chunksize=1)
        last = whole["calls"] + whole["imports"]
        places = [1 + (last - 1) * stop // (STOPS - 1) for stop in range(STOPS)]
        print(json.dumps([whole, *pool.map(run_trial, places, chunksize=1)]))


def run_trial(stop):
    """Run the trial that this process has inherited."""
    return INHERITED[0](stop)


if __name__ == "__main__":
    main(sys.argv[1])
