"""Files of weights and of runs with one flipped bit: each is refused in a sentence, or harmless."""

import random
import struct
import warnings
from functools import partial

import torch
from soak_kills import KINDS, Group, differing, train

import vaecourse as vae
from vaecourse.runtime import isolated_rng

KIND = "schedules"


def refusal(call, *arguments):
    """Return what `call` gives, or None with the kind and words of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(*arguments), ""
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"


def poor(words):
    """Say what is wrong with the words of a refusal by the package, if anything is."""
    kind, _, text = words.partition(": ")
    if kind not in (
        "ValueError",
        "TypeError",
        "DataError",
        "FileNotFoundError",
        "IsADirectoryError",
    ):
        return f"is refused by {words[:200]!r}"
    return f"is refused in several lines: {text[:200]!r}" if "\n" in text else ""


def weights(path):
    """Read a file of weights."""
    with isolated_rng(3):
        model = KINDS[KIND]["build"]()
    vae.load_model(model, path)
    return model.state_dict()


def flipped(where, folder, seed, number):
    """Flip single bits in the header or the body of both kinds of file, and read them."""
    dice = random.Random(f"{seed} {where}")
    run, path = folder / "run", folder / "flipped"
    wanted = train(KIND, run)
    with isolated_rng(3):
        model = KINDS[KIND]["build"]()
    vae.load_model(model, run)
    vae.save_model(model, folder / "model", {"epochs": 3})
    readers = {"run": partial(train, KIND), "model": weights}
    whole = {"run": wanted, "model": model.state_dict()}
    for count in range(number):
        name = ("run", "model")[count % 2]
        content = bytearray((folder / name).read_bytes())
        start = 8 + struct.unpack("<Q", content[:8])[0]
        ends = (0, 8 * start) if where == "header" else (8 * start, 8 * len(content))
        bit = dice.randrange(*ends)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        found, words = refusal(readers[name], path)
        wrong = poor(words) if found is None else differing(found, whole[name])
        if path.read_bytes() != bytes(content):
            wrong = wrong or "the refused file was changed"
        yield f"bit {bit} of a {name}", wrong


def lengths(folder, seed, number):
    """Cut a file of a run off at random lengths; read it."""
    dice = random.Random(f"{seed} lengths")
    train(KIND, folder / "run")
    content = (folder / "run").read_bytes()
    for _ in range(number):
        length, path = dice.randrange(len(content)), folder / "short"
        path.write_bytes(content[:length])
        found, words = refusal(partial(train, KIND), path)
        yield f"{length} bytes of a run", "was taken" if found else poor(words)


torch.set_num_threads(1)
GROUPS = [
    Group("flipped bits in headers", 300, partial(flipped, "header")),
    Group("flipped bits in numbers", 200, partial(flipped, "body")),
    Group("files cut short", 40, lengths),
]
