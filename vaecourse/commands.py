"""`vaecourse train` and `vaecourse evaluate`: the course's recipes from the shell."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from vaecourse.data import NAMES, load
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import evaluate
from vaecourse.pretrained import RECIPES
from vaecourse.training.checkpoints import load_model, read_checkpoint, save_model

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> None:
    """Add the subcommands ``train`` and ``evaluate``."""
    training = subparsers.add_parser(
        "train",
        help="train a model of the course and keep it in a file",
        description="Train a model of the course. Stopped, the same command goes on. Under "
        "torchrun the processes train it together.",
    )
    training.add_argument("recipe", choices=RECIPES, help="which model")
    training.add_argument("file", type=Path, help="where to keep its weights")
    training.add_argument("--data", choices=NAMES, default="mnist", help="default mnist")
    training.add_argument("--seed", type=int, default=0, help="of weights and noise (default 0)")
    training.add_argument(
        "--device", default="auto", help="default: an accelerator if there is one"
    )
    training.set_defaults(run=_train)
    judging = subparsers.add_parser("evaluate", help="print the test terms of a trained model")
    judging.add_argument("file", type=Path, help="what train wrote")
    judging.set_defaults(run=_evaluate)


def _train(options: argparse.Namespace) -> None:
    split = load(options.data)
    unfinished = options.file.with_name(f"{options.file.name}.unfinished")
    model, history = RECIPES[options.recipe].train(
        split, options.seed, device=options.device, checkpoint=unfinished
    )
    if os.environ.get("RANK", "0") != "0":
        return
    meta = {"recipe": options.recipe, "data": split.name, "identity": split.identity}
    save_model(model, options.file, meta | {"seed": options.seed})
    unfinished.unlink()
    print(f"{options.file}: {history!r}")


def _evaluate(options: argparse.Namespace) -> None:
    _, meta = read_checkpoint(options.file)
    if not {"recipe", "data", "identity", "seed"} <= meta.keys() or meta["recipe"] not in RECIPES:
        raise ValueError(f"{options.file} was not written by vaecourse train; give such a file")
    recipe, split = RECIPES[meta["recipe"]], load(meta["data"])
    if split.identity != meta["identity"]:
        raise ValueError(
            f"{options.file} was trained on other {split.name} than the data here; its test images "
            "may be among them, so train it again"
        )
    model = recipe.untrained(split)
    load_model(model, options.file)
    transform = dynamic_binarization if recipe.binarize else None
    terms = evaluate(model, recipe.objective, split.test, transform=transform)
    named = {name: meta[name] for name in ("recipe", "data", "seed")}
    print(json.dumps(named | {"images": len(split.test.x), "terms": terms}, indent=1))
