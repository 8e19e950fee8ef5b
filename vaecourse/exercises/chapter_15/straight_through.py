"""Round to a codebook, and let the gradient pass."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def book_cases():
    """Codes and codebooks of different size."""
    return [
        (normal((3, 2), 1), normal((4, 2), 2)),
        (normal((60, 5), 3), normal((16, 5), 4)),
        (normal((7, 3), 5, torch.float64), normal((9, 3), 6, torch.float64)),
    ]


def nearest(z, book):
    """The nearest word to each code, by squared distances written out."""
    squares = (z.unsqueeze(1) - book).square().sum(-1)
    return book[squares.argmin(1)]


def straight_truth(z, book):
    """The word's value with the slope of the code."""
    word = nearest(z.detach(), book.detach())
    return z - z.detach() + word


def rounded_alone(z, book):
    """No slope reaches the code: you returned the word alone, or detached the whole sum.

    The encoder would never learn.
    """
    return nearest(z, book)


def nothing_rounded(z, book):
    """You returned the code itself: what goes forward must be the word."""
    return z


def slope_doubled(z, book):
    """Your gradient is twice too large: the code enters once with a slope, and not twice."""
    return 2 * z - 2 * z.detach() + nearest(z.detach(), book)


def largest_product(z, book):
    """You took the word of the largest inner product. Long words win that; take distances."""
    word = book.detach()[(z.detach() @ book.detach().T).argmax(1)]
    return z - z.detach() + word


def farthest(z, book):
    """You took the farthest word: argmax of a distance."""
    word = book.detach()[torch.cdist(z.detach(), book.detach()).argmax(1)]
    return z - z.detach() + word


def coordinates_apart(z, book):
    """You rounded each coordinate by itself. A word is a whole vector."""
    gap = (z.detach().unsqueeze(1) - book.detach()).abs()
    word = torch.take_along_dim(book.detach(), gap.argmin(1), dim=0)
    return z - z.detach() + word


def straight_by_one_hot(z, book):
    """A right answer by a product with one-hot rows."""
    index = torch.cdist(z, book).argmin(1)
    hot = torch.nn.functional.one_hot(index, len(book)).to(z.dtype)
    return z + (hot @ book - z).detach()


def by_hand(z, book):
    """The nearest word, with the gradient of the code."""
    word = book[((z[:, None] - book) ** 2).sum(-1).argmin(-1)]
    return z + (word - z).detach()


EXERCISE = Exercise(
    name="15-straight-through",
    title="Round, and let the gradient pass",
    difficulty=2,
    minutes=15,
    parameters=("z", "book"),
    cases=book_cases,
    truth=straight_truth,
    gradients=("z", "book"),
    vectorized=True,
    loops=False,
    hints=(
        "Going forward the answer is the nearest word. Going backward it is the code.",
        "Find the word with `torch.cdist` and `argmin`. Then write word = code + (word − code), "
        "and stop the gradient of the bracket.",
        "`word = book[torch.cdist(z, book).argmin(1)]`; return `z + (word - z).detach()`.",
    ),
    mistakes=(
        rounded_alone,
        nothing_rounded,
        slope_doubled,
        largest_product,
        farthest,
        coordinates_apart,
    ),
    alternatives=(straight_by_one_hot,),
    formulas=(by_hand,),
    right="The value is a word and the slope is one: what a VQ-VAE trains with.",
)
