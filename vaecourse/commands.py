"""`vaecourse train` and `vaecourse evaluate`: the course's recipes from the shell."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from vaecourse.checks import as_seed
from vaecourse.data import NAMES, Split, from_images, load, split_of
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import evaluate
from vaecourse.pretrained import RECIPES
from vaecourse.runtime import resolve_device
from vaecourse.runtime.files import check_writable
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
    training.add_argument(
        "--data",
        type=_data,
        default="mnist",
        help=f"{', '.join(NAMES)}, or a folder, .zip or .npz of your own images (default mnist)",
    )
    training.add_argument(
        "--size",
        type=_size,
        help="resize your own images to this, such as 64 or 48x64 (height x width)",
    )
    training.add_argument("--seed", type=int, default=0, help="of weights and noise (default 0)")
    training.add_argument(
        "--device", default="auto", help="default: an accelerator if there is one"
    )
    training.set_defaults(run=_train)
    judging = subparsers.add_parser("evaluate", help="print the test terms of a trained model")
    judging.add_argument("file", type=Path, help="what train wrote")
    judging.add_argument("--data", type=_data, help="where your own images lie, if they moved")
    judging.set_defaults(run=_evaluate)


def _data(text: str) -> str:
    """Return a known name, or the whole path of what is there under this name."""
    if text in NAMES:
        return text
    if not Path(text).expanduser().exists():
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(NAMES)}, or a folder, .zip or .npz of images, and {text!r} "
            "is not there"
        )
    return str(Path(text).expanduser().resolve())


def _size(text: str) -> list[int]:
    sides = text.split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"must be like 64 or 48x64, got {text!r}")
    return [int(sides[0]), int(sides[-1])]


def _split(data: str, size: list[int] | None) -> Split:
    """Return the known data set, or the images at the path, split as always."""
    if data not in NAMES:
        return split_of(from_images(data, size).batch, name=Path(data).stem)
    if size is not None:
        raise ValueError(f"--size is for images of your own, {data} has a size: leave it out")
    return load(data)


def _train(options: argparse.Namespace) -> None:
    unfinished = options.file.with_name(f"{options.file.name}.unfinished")
    for path in (options.file, unfinished):
        check_writable(path)
    resolve_device(options.device)
    as_seed(options.seed)
    split = _split(options.data, options.size)
    model, history = RECIPES[options.recipe].train(
        split, options.seed, device=options.device, checkpoint=unfinished
    )
    if os.environ.get("RANK", "0") != "0":
        return
    meta = {"recipe": options.recipe, "data": options.data, "size": options.size}
    save_model(model, options.file, meta | {"identity": split.identity, "seed": options.seed})
    # The same command in another process may have been as fast.
    unfinished.unlink(missing_ok=True)
    print(f"{options.file}: {history!r}")


def _evaluate(options: argparse.Namespace) -> None:
    _, meta = read_checkpoint(options.file)
    if not {"recipe", "data", "identity", "seed"} <= meta.keys() or meta["recipe"] not in RECIPES:
        raise ValueError(f"{options.file} was not written by vaecourse train; give such a file")
    recipe = RECIPES[meta["recipe"]]
    split = _split(options.data or meta["data"], meta.get("size"))
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
