"""Data of one's own that are none: each is refused in a sentence, and no file is harmed."""

import gzip
import io
import os
import struct
import zipfile
from functools import partial

import numpy as np
import torch
from soak_files import poor, refusal
from soak_kills import Group

import vaecourse as vae

NAN, INF = float("nan"), float("inf")
X = np.random.default_rng(0).random((6, 1, 4, 4)).astype(np.float32)


def with_value(value, array=X):
    """Return an array with one other value in its midst."""
    changed = array.astype(np.float64)
    changed.flat[array.size // 2] = value
    return changed


ARRAYS = {
    "nothing": ([], None),
    "a number": (3.0, None),
    "no rows": (X[:0], None),
    "no columns": (np.zeros((3, 0)), None),
    "one dimension": (np.ones(5), None),
    "NaN": (with_value(NAN), None),
    "infinite": (with_value(INF), None),
    "-infinite": (with_value(-INF), None),
    "too large for float32": (with_value(1e300), None),
    "strings": (np.array([["a", "b"]]), None),
    "objects": (np.array([[object()]]), None),
    "complex": (X + 1j, None),
    "dates": (np.array([["2020-01-01"]], dtype="datetime64[D]"), None),
    "int64": (np.arange(8).reshape(2, 4), None),
    "int16 below zero": (-np.ones((2, 4), np.int16), None),
    "uint16": (np.full((2, 4), 300, np.uint16), None),
    "ragged": ([np.ones(3), np.ones(4)], None),
    "text": ("abc", None),
    "bytes": (b"abc", None),
    "a dictionary": ({"x": 1}, None),
    "None": (None, None),
    "records": (np.zeros(3, [("a", "f4")]), None),
    "too few labels": (X, [0, 1]),
    "too many labels": (X, np.arange(7)),
    "labels with fractions": (X, np.full(6, 0.5)),
    "labels below -1": (X, np.full(6, -2)),
    "infinite labels": (X, np.full(6, INF)),
    "complex labels": (X, np.full(6, 1j)),
    "labels of two kinds": (X, np.array(["a", 1.5, "b", "c", "d", "e"], dtype=object)),
    "labels in a table": (X, np.ones((6, 2), int) * 2),
}
COUNTS = {
    "nothing": [],
    "no cells": np.zeros((0, 3)),
    "no genes": np.zeros((3, 0)),
    "one dimension": np.ones(4),
    "three dimensions": np.ones((2, 2, 2)),
    "fractions": np.array([[0.5, 1.0]]),
    "below zero": np.array([[-1, 2]]),
    "NaN": np.array([[NAN, 1.0]]),
    "infinite": np.array([[INF, 1.0]]),
    "strings": np.array([["a", "b"]]),
    "complex": np.array([[1j, 2]]),
    "None": None,
    "text": "counts",
    "too large for float32": np.array([[2.0**30 + 1, 0]]),
}
SITES = {
    "too few sites": [0],
    "sites below zero": [-1, 0],
    "fractions for sites": [0.5, 1],
    "missing sites": [None, "a"],
    "sites without a table": "site",
}


def _npy(header, content=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def _zip(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


HUGE = "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 28, 28), }"
PICKLED = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
NPZ = {
    "nothing": b"",
    "text": b"images",
    "half a zip": _npz(x=np.zeros((9, 4, 4), np.uint8))[:200],
    "an empty zip": _zip(),
    "no array x": _npz(z=np.zeros((2, 4, 4), np.uint8)),
    "a huge header": _zip(x=_npy(HUGE)),
    "objects": _zip(x=_npy(PICKLED, b"\x80\x04N.")),
    "a wrong header": _zip(x=_npy("{'descr': 'what', 'shape': 3}")),
    "no rows": _npz(x=np.zeros((0, 4, 4), np.uint8)),
    "five dimensions": _npz(x=np.zeros((1, 1, 1, 4, 4), np.uint8)),
    "NaN": _npz(x=with_value(NAN)[:, 0]),
    "above 1": _npz(x=with_value(2.0)[:, 0]),
    "complex": _npz(x=np.zeros((2, 4, 4), complex)),
    "too few labels": _npz(x=np.zeros((3, 4, 4), np.uint8), y=np.zeros(2, int)),
    "labels with fractions": _npz(x=np.zeros((3, 4, 4), np.uint8), y=np.full(3, 0.5)),
}


def _idx(*shape, kind=8, content=None):
    size = int(np.prod(shape)) if content is None else 0
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape) + (
        bytes(size) if content is None else content
    )


IDX = {
    "nothing": b"",
    "no gzip": b"\x1f\x8b" + b"x" * 60,
    "half a gzip": gzip.compress(_idx(60, 28, 28))[:40],
    "cut short": _idx(60, 28, 28, content=b"1234"),
    "too long": _idx(60, 28, 28) + b"more",
    "a huge header": _idx(2**32 - 1, 2**32 - 1, 2**32 - 1, content=b""),
    "of floats": _idx(60, 28, 28, kind=13),
    "of another shape": _idx(60, 5, 5),
    "no images": _idx(0, 28, 28),
    "text": b"<html>not found</html>",
}


def _asked(name, call, *arguments):
    found, words = refusal(call, *arguments)
    return name, "was taken" if found is not None else poor(words)


def arrays(_folder, _seed, _number):
    """Arrays that `Batch.of` must not take."""
    for name, (x, y) in ARRAYS.items():
        yield _asked(name, vae.Batch.of, x, y)


def counts(_folder, _seed, _number):
    """Tables that `from_counts` must not take."""
    for name, table in COUNTS.items():
        yield _asked(name, vae.data.from_counts, table)
    for name, site in SITES.items():
        yield _asked(name, vae.data.from_counts, np.ones((2, 3), int), site)


def _in_file(name, path, content, call):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    before = sorted(path.parent.iterdir())
    asked = _asked(name, call)
    whole = path.read_bytes() == content and sorted(path.parent.iterdir()) == before
    return asked if whole else (name, "its file was changed")


def images(folder, _seed, _number):
    """Files and folders that `from_images` must not take."""
    for number, (name, content) in enumerate(NPZ.items()):
        path = folder / f"{number}.npz"
        yield _in_file(f"npz: {name}", path, content, partial(vae.data.from_images, path))
    for name, content in {"empty": b"", "text": b"no image", "half": b"\x89PNG\r\n\x1a\n"}.items():
        path = folder / name / "class" / "a.png"
        yield _in_file(f"image: {name}", path, content, partial(vae.data.from_images, path.parent))
    (folder / "none").mkdir()
    yield _asked("image: an empty folder", vae.data.from_images, folder / "none")
    yield _asked("image: nothing there", vae.data.from_images, folder / "missing")


def sets(folder, _seed, _number):
    """Files of MNIST that `load` must not take."""
    os.environ["VAECOURSE_OFFLINE"] = "1"
    for number, (name, content) in enumerate(IDX.items()):
        root = folder / str(number)
        raw = root / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for part, count in (("train", 60), ("t10k", 20)):
            (raw / f"{part}-images-idx3-ubyte").write_bytes(_idx(count, 28, 28))
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(_idx(count))
        path = raw / "train-images-idx3-ubyte"
        yield _in_file(f"idx: {name}", path, content, partial(vae.load, "mnist", root=root))


def supports(_folder, _seed, _number):
    """Values outside of the support of a likelihood must not train."""
    model = vae.mlp_vae((1, 4, 4), 2, hidden=(4,))
    for name, value in {"above 1": 1.5, "below 0": -0.5}.items():
        batch = vae.Batch(torch.tensor(with_value(value)).float(), torch.full((6,), -1))
        fit = partial(vae.fit, model, vae.objectives.elbo, batch, steps=1, progress=False)
        yield _asked(f"pixels {name}", fit)


GROUPS = [
    Group("bad arrays", len(ARRAYS), arrays),
    Group("bad counts", len(COUNTS) + len(SITES), counts),
    Group("bad images and npz files", len(NPZ) + 5, images),
    Group("bad idx files", len(IDX), sets),
    Group("values that no likelihood has", 2, supports),
]
