"""Training, validation and test parts of a reader's own examples."""

import hashlib
import warnings

from torch import Tensor

from vaecourse.checks import is_integer
from vaecourse.data.labels import stratified_split
from vaecourse.data.split import Batch, HeldOut, Split

__all__ = ["split_of"]


def split_of(
    batch: Batch,
    valid: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    name: str = "own",
) -> Split:
    """Split examples in three, with every class in proportion.

    Where examples of the test or validation part are also in the training part, number for
    number, a UserWarning says how many: what is measured on them says nothing of new data.

    Parameters
    ----------
    batch : Batch
        N examples; those labeled -1 are split like a class of their own.
    valid, test : float or int
        A float is a share of the N examples and gives at least one, unless it is 0. An int is a
        number of examples.
    seed : int
        Which split.
    name : str
        The name of the data.

    Returns
    -------
    Split
        Its ``identity`` is a SHA-256 of the three parts.

    Raises
    ------
    ValueError
        If `valid` or `test` is out of range, they leave nothing for training, or a class has no
        example there.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> batch = vae.Batch(torch.rand(100, 1, 8, 8), torch.arange(100) % 2)
    >>> vae.data.split_of(batch, valid=10, test=0.2, name="photos")
    Split('photos', train 70, valid 10, test 20, event (1, 8, 8))
    """
    if not all(isinstance(part, Tensor) for part in batch):
        batch = Batch.of(*batch)
    x, y = batch
    if len(x) != len(y):
        raise ValueError(f"batch must hold as many x as y, got {len(x)} and {len(y)}")
    held = {"valid": _count(valid, len(y), "valid"), "test": _count(test, len(y), "test")}
    if sum(held.values()) >= len(y):
        raise ValueError(
            f"valid and test take {held['valid']} and {held['test']} of {len(y)} rows, which "
            "leaves none for training: give smaller ones, or more rows"
        )
    y = y.cpu()
    rest, last = stratified_split(y, held["test"], seed)
    first, second = stratified_split(y[rest], held["valid"], seed)
    train, middle = rest[first], rest[second]
    _check_classes(y, train)
    parts = [batch._replace(x=x[r.to(x.device)], y=y[r]) for r in (train, middle, last)]
    _warn_of_copies(*parts)
    return Split(name, parts[0], parts[1], HeldOut(*parts[2]), _identity(parts))


def _count(size: float, num: int, name: str) -> int:
    """Return how many of `num` rows a share or a number is."""
    if is_integer(size) and size >= 0:
        return int(size)
    if isinstance(size, float) and 0 <= size < 1:
        return max(round(size * num), int(size > 0))
    raise ValueError(f"{name} must be a share below 1, or a whole number of rows, got {size!r}")


def _check_classes(y: Tensor, train: Tensor) -> None:
    trained = set(y[train].tolist())
    for label in y[y >= 0].unique().tolist():
        if label not in trained:
            raise ValueError(
                f"class {label} has {int((y == label).sum())} rows, none of them in the training "
                "part: give smaller valid and test, or more rows of the class"
            )


def _digests(x: Tensor) -> list[bytes]:
    return [hashlib.sha256(row.contiguous().cpu().numpy().data).digest() for row in x]


def _warn_of_copies(train: Batch, valid: Batch, test: Batch) -> None:
    known = set(_digests(train.x))
    copies = [sum(digest in known for digest in _digests(part.x)) for part in (test, valid)]
    if any(copies):
        warnings.warn(
            f"{copies[0]} of {len(test.y)} test rows and {copies[1]} of {len(valid.y)} validation "
            "rows are copies of training rows: leave copies out before splitting",
            stacklevel=3,
        )


def _identity(parts: list[Batch]) -> str:
    digest = hashlib.sha256()
    for key, part in zip(("train", "valid", "test"), parts, strict=True):
        for letter, tensor in zip("xy", part, strict=True):
            array = tensor.contiguous().cpu().numpy()
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{letter}_{key} {array.dtype.name} {array.shape}\n".encode())
            digest.update(little.data)
    return digest.hexdigest()
