"""Handwritten-looking digits drawn by our own pen, with every factor of variation known.

`strokes` draws digits; `load_arrays` keeps a training set and a test set of them on disk, laid
out like MNIST: white ink on black, 28x28 pixels, the digit in a box of about 20x20 pixels with its
center of mass in the middle.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from contextlib import ExitStack, suppress
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vaecourse.data.stroke_pen import SIZE, Noise, draw, draw_noise
from vaecourse.data.stroke_skeletons import NUM_STYLES
from vaecourse.runtime.files import whole_file
from vaecourse.runtime.locks import in_turn

NUM_TRAIN, NUM_TEST = 60_000, 10_000
TRAIN_SEED, TEST_SEED = 20131220, 20140116
# What NumPy and zipfile raise on a damaged file, depending on where the damage is.
UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
CHUNK = 256  # images drawn together, few enough that their buffers stay in the processor's cache


class Range(NamedTuple):
    """Where a factor is drawn (low to high) and what a caller may ask for (least to most)."""

    low: float
    high: float
    least: float
    most: float


RANGES = {
    "slant": Range(-0.45, 0.75, -1.5, 1.5),
    "thickness": Range(0.9, 4.3, 0.5, 8.0),
    "rotation": Range(-20.0, 20.0, -180.0, 180.0),
    "scale": Range(0.86, 1.06, 0.6, 1.3),
    "position_x": Range(-1.0, 1.0, -8.0, 8.0),
    "position_y": Range(-1.0, 1.0, -8.0, 8.0),
    "wobble": Range(0.2, 1.8, 0.0, 3.0),
}
CHOICES = {"label": 10, "style": NUM_STYLES}


class Strokes(NamedTuple):
    """Drawn digits.

    Attributes
    ----------
    images : numpy.ndarray, shape (N, 28, 28), uint8
        White ink (255) on black (0).
    labels : numpy.ndarray, shape (N,), int64
        The digits, 0 to 9.
    factors : dict of str to numpy.ndarray, shape (N,), float64
        What each image was drawn with, under the names that `strokes` takes.
    """

    images: np.ndarray
    labels: np.ndarray
    factors: dict[str, np.ndarray]


def strokes(
    num: int,
    seed: int = 0,
    *,
    label: ArrayLike | None = None,
    style: ArrayLike | None = None,
    slant: ArrayLike | None = None,
    thickness: ArrayLike | None = None,
    rotation: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    position_x: ArrayLike | None = None,
    position_y: ArrayLike | None = None,
    wobble: ArrayLike | None = None,
) -> Strokes:
    """Draw digits from pen strokes.

    Factors are drawn independently of one another: label and style uniformly, each other factor
    from a bell-shaped Beta(3, 3) distribution on the range given below. A factor that the caller
    fixes leaves everything else as it was, so calls that differ in one factor give the same
    digits with only that factor changed.

    Parameters
    ----------
    num : int
        How many images.
    seed : int
        The same seed gives the same images. Global random states are neither read nor changed.
    label, style, slant, thickness, rotation, scale, position_x, position_y, wobble : optional
        One number, or an array of shape (num,), to fix that factor:

        - label: the digit, 0 to 9; style: which of its 8 forms, 0 to 7
        - slant: how far right a point moves per unit it lies higher (-0.45 to 0.75)
        - thickness: mean width of the pen, in pixels (0.9 to 4.3)
        - rotation: degrees counterclockwise, after slanting (-20 to 20)
        - scale: longer side of the digit, pen included, over 20 pixels (0.86 to 1.06)
        - position_x, position_y: how far the center of mass lies right of and below pixel
          (14, 14), in pixels, to about a tenth (-1 to 1)
        - wobble: how much the hand deviates from the designed form; 0 is exact (0.2 to 1.8)

    Returns
    -------
    Strokes

    Raises
    ------
    ValueError
        If num, seed or a fixed factor is not what is described here.

    Examples
    --------
    One digit, slanted more and more:

    >>> images = [strokes(1, seed=3, label=4, slant=s).images[0] for s in (-0.4, 0.0, 0.4)]
    """
    _check_whole("num", num, 1, "a positive integer")
    _check_whole("seed", seed, 0, "a non-negative integer")
    given = {
        "label": label,
        "style": style,
        "slant": slant,
        "thickness": thickness,
        "rotation": rotation,
        "scale": scale,
        "position_x": position_x,
        "position_y": position_y,
        "wobble": wobble,
    }
    fixed = {k: _check_factor(k, v, num) for k, v in given.items() if v is not None}
    rng = np.random.default_rng(seed)
    factors = _draw_factors(rng, num) | fixed
    noise = draw_noise(rng, num)
    images = np.empty((num, SIZE, SIZE), np.uint8)
    for start in range(0, num, CHUNK):
        part = slice(start, start + CHUNK)
        some = {name: values[part] for name, values in factors.items()}
        images[part] = draw(some, Noise(*(array[part] for array in noise)))
    return Strokes(images, factors["label"].astype(np.int64), factors)


def load_arrays(root: str | os.PathLike) -> dict[str, np.ndarray]:
    """Load the training and test sets of strokes, drawing them the first time.

    They are kept in ``strokes.npz`` in the folder ``root`` with a hash of the drawing code. A file
    that is unreadable, or that other code drew, is drawn anew. Where the file cannot be
    written, a warning says so and the arrays are returned all the same.

    Parameters
    ----------
    root : path
        The folder; it is made when missing.

    Returns
    -------
    dict of str to numpy.ndarray
        x_train (60000, 28, 28) and x_test (10000, 28, 28), uint8; y_train and y_test, int64; and
        for every factor of `strokes` its values as ``<factor>_train`` and ``<factor>_test``. The
        two sets come from separate random streams.
    """
    path = Path(root) / "strokes.npz"
    version = source_hash()
    arrays = _read(path, version)
    if arrays is not None:
        return arrays
    with ExitStack() as stack:
        # Where nothing can be kept, there is nothing to wait for.
        with suppress(OSError):
            stack.enter_context(in_turn(path))
            arrays = _read(path, version)
        return _drawn(path, version) if arrays is None else arrays


def _drawn(path: Path, version: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for part, num, seed in (("train", NUM_TRAIN, TRAIN_SEED), ("test", NUM_TEST, TEST_SEED)):
        drawn = strokes(num, seed)
        arrays |= {f"x_{part}": drawn.images, f"y_{part}": drawn.labels}
        arrays |= {f"{name}_{part}": values for name, values in drawn.factors.items()}
    try:
        _write(path, arrays, version)
    except OSError as error:
        warnings.warn(
            f"strokes will be drawn again next time: cannot write {path} ({error})", stacklevel=3
        )
    return arrays


def source_hash() -> str:
    """Return the SHA-256 of the code that draws strokes, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("stroke*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _check_whole(name: str, value: object, least: int, wanted: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be {wanted}, got {value!r}")


def _check_factor(name: str, value: ArrayLike, num: int) -> np.ndarray:
    """Return a fixed factor as a new (num,) float array."""
    try:
        values = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        values = None
    if values is None or values.shape not in ((), (num,)):
        given = repr(value) if values is None else f"shape {values.shape}"
        raise ValueError(f"{name} must be one number or an array of shape ({num},), got {given}")
    least: float
    most: float
    if name in CHOICES:
        wanted, good = f"whole numbers from 0 to {CHOICES[name] - 1}", values % 1 == 0
        least, most = 0, CHOICES[name] - 1
    else:
        _, _, least, most = RANGES[name]
        wanted, good = f"between {least} and {most}", True
    good = good & (values >= least) & (values <= most)
    if not good.all():
        raise ValueError(f"{name} must be {wanted}, got {values[~good].flat[0]:g}")
    return np.broadcast_to(values, (num,)).copy()


def _draw_factors(rng: np.random.Generator, num: int) -> dict[str, np.ndarray]:
    factors = {
        name: rng.integers(count, size=num).astype(np.float64) for name, count in CHOICES.items()
    }
    for name, (low, high, _, _) in RANGES.items():
        factors[name] = low + (high - low) * rng.beta(3, 3, size=num)
    return factors


def _read(path: Path, version: str) -> dict[str, np.ndarray] | None:
    """Return the arrays in the file, or None where they must be drawn."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["version"]) != version:
                return None
            arrays = {name: file[name] for name in file.files if name != "version"}
    except UNREADABLE:
        return None
    names = ("x", "y", *CHOICES, *RANGES)
    whole = arrays.keys() == {f"{name}_{part}" for name in names for part in ("train", "test")}
    return arrays if whole else None


def _write(path: Path, arrays: dict[str, np.ndarray], version: str) -> None:
    """Write all or nothing: the file gets its name once it is complete."""
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        named: dict[str, Any] = {"version": np.array(version), **arrays}
        np.savez(file, **named)
