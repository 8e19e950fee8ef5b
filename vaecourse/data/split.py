"""The types that carry data: a batch, a held-out test set, and a data set's three splits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from vaecourse.data.codes import Labels
from vaecourse.data.door import as_rows, labels_of
from vaecourse.data.storage import content_hash


class Batch(NamedTuple):
    """Examples and their labels; labeled and unlabeled examples travel together.

    Attributes
    ----------
    x : torch.Tensor, shape ``(N, *event)``, float32
        The examples. Images are (N, channels, height, width) with values in [0, 1].
    y : torch.Tensor, shape ``(N,)``, int64
        The labels; -1 means unlabeled.

    Examples
    --------
    Two labeled examples and one without a label:

    >>> import torch
    >>> import vaecourse as vae
    >>> batch = vae.Batch(x=torch.zeros(3, 1, 28, 28), y=torch.tensor([7, 2, -1]))
    >>> batch.x[batch.y >= 0].shape
    torch.Size([2, 1, 28, 28])
    """

    x: torch.Tensor
    y: torch.Tensor

    @classmethod
    def of(cls, x: Any, y: Any = None) -> "Batch":
        """Return a batch of anyone's arrays: tensors, NumPy, pandas, or lists of PIL images.

        What is unambiguous is converted: pixels as bytes to [0, 1], numbers of any width to
        float32, labels of any form to whole numbers from 0, and -1 where there is none. What might
        mean several things is refused, with what to do. Conversions that change what a number
        means are said once in a process.

        Parameters
        ----------
        x : array-like
            Shape ``(N, *event)``, as `vaecourse.data.door.as_rows` takes it.
        y : array-like, optional
            Shape ``(N,)`` or ``(N, 1)``, as `vaecourse.data.codes.as_labels` takes it. Without it
            no example has a label.

        Returns
        -------
        Batch
            Where labels were strings, its `classes` name them.

        Raises
        ------
        TypeError
            If x holds no numbers, or y neither numbers nor strings.
        ValueError
            If x has no rows, holds NaN, or whole numbers that may be pixels or counts; or if y has
            another length, a fraction or a number below -1.

        Examples
        --------
        >>> import numpy as np
        >>> import vaecourse as vae
        >>> x, y = vae.Batch.of(np.random.rand(3, 8), [2.0, float("nan"), 0.0])
        >>> x.dtype, y
        (torch.float32, tensor([ 2, -1,  0]))
        """
        rows = as_rows(x)
        return batch_of(rows, labels_of(y, len(rows)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, where labels were strings: class c is ``classes[c]``."""
        return ()


class _Named(Batch):
    """A batch that remembers what its labels were called."""

    names: tuple[str, ...] = ()

    def __new__(cls, x: torch.Tensor, y: torch.Tensor, names: tuple[str, ...] = ()) -> "_Named":
        batch = super().__new__(cls, x, y)
        batch.names = names
        return batch

    def _replace(self, **fields: torch.Tensor) -> "_Named":
        return _Named(*super()._replace(**fields), self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.names


def batch_of(x: torch.Tensor, labels: Labels) -> Batch:
    """Return a batch that remembers the names of its classes, where they have names."""
    return _Named(x, *labels) if labels.classes else Batch(x, labels.y)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Test examples and labels, with the fields of `Batch`.

    The type differs from `Batch` on purpose: training refuses it, so that no test image can
    reach training by mistake.
    """

    x: torch.Tensor
    y: torch.Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """A data set in three parts.

    Attributes
    ----------
    name : str
        The data set that was loaded. It is "strokes" when strokes stand in for another set.
    train, valid : Batch
        The training images, and the last sixth of them set apart for validation. For MNIST and
        Fashion-MNIST these are 50,000 and 10,000 images.
    test : HeldOut
        The test images.
    identity : str
        SHA-256 of the content, in hexadecimal. Equal content has equal identity.
    note : str
        The words a reader must see, such as which data stand in for which; else empty.
    """

    name: str
    train: Batch
    valid: Batch
    test: HeldOut
    identity: str
    note: str = ""

    def __repr__(self) -> str:
        counts = ", ".join(f"{part} {len(getattr(self, part).y)}" for part in _PARTS)
        return f"Split({self.name!r}, {counts}, event {tuple(self.train.x.shape[1:])})"


_PARTS = ("train", "valid", "test")


def make_split(name: str, arrays: Mapping[str, np.ndarray], *, top: int, note: str = "") -> Split:
    """Return the `Split` of uint8 arrays whose brightest pixel value is ``top``.

    The last ``len(x_train) // 6`` training images become the validation split: no shuffling, so
    that the split is the same everywhere.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        x_train and x_test, shape (N, channels, height, width) or (N, height, width);
        y_train and y_test, shape (N,).
    top : int
        Pixel values are divided by this number.
    """
    x, y = _tensors(arrays["x_train"], arrays["y_train"], top)
    cut = len(y) - len(y) // 6
    test = HeldOut(*_tensors(arrays["x_test"], arrays["y_test"], top))
    train, valid = Batch(x[:cut], y[:cut]), Batch(x[cut:], y[cut:])
    return Split(name, train, valid, test, content_hash(arrays), note)


def _tensors(images: np.ndarray, labels: np.ndarray, top: int) -> Batch:
    x = torch.tensor(images).float().div_(top)
    y = torch.tensor(labels, dtype=torch.int64)
    return Batch(x.unsqueeze(1) if x.dim() == 3 else x, y)
