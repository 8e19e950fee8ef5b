"""Fix the style, change the class."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(styles, classes, latent_dim, seed, dtype=torch.float32):
    """A decoder of flat rows, styles, and a number of classes."""
    of_style = normal((latent_dim, 4), seed, dtype)
    of_class = normal((classes, 4), seed + 1, dtype)

    def decode(z, y):
        if z.dim() != 2 or y.shape != z.shape[:1]:
            raise ValueError(f"z must be (R, L) and y (R,), got {tuple(z.shape)}, {tuple(y.shape)}")
        return torch.tanh(z @ of_style.to(z.dtype) + of_class.to(z.dtype)[y])

    return decode, normal((styles, latent_dim), seed + 2, dtype), classes


def cases():
    """Fewer, more, and as many styles as classes."""
    return [case(2, 3, 2, 1), case(12, 10, 5, 4), case(4, 4, 3, 7, torch.float64)]


def truth(decode, styles, num_classes):
    """One picture after the other."""
    rows = [
        torch.stack([decode(z[None], torch.tensor([y]))[0] for y in range(num_classes)])
        for z in styles
    ]
    return torch.stack(rows)


def pictures(decode, z, y, *shape):
    """Decode pairs, and lay them out."""
    return decode(z, y).reshape(*shape, -1)


def classes_and_styles_in_step(decode, styles, num_classes):
    """Styles and classes repeat in the same order, so not every pair occurs.

    Repeat one of them element by element.
    """
    y = torch.arange(num_classes).repeat(len(styles))
    return pictures(decode, styles.repeat(num_classes, 1), y, len(styles), num_classes)


def transposed(decode, styles, num_classes):
    """Your rows are classes and your columns styles. Each style has a row."""
    return truth(decode, styles, num_classes).transpose(0, 1)


def scrambled(decode, styles, num_classes):
    """All pairs are there, and in the wrong places: a reshape does not transpose."""
    z, y = styles.repeat(num_classes, 1), torch.arange(num_classes)
    y = y.repeat_interleave(len(styles))
    return pictures(decode, z, y, len(styles), num_classes)


def one_style(decode, styles, num_classes):
    """Every row has the first style."""
    z = styles[:1].expand_as(styles)
    return truth(decode, z, num_classes)


def one_class(decode, styles, num_classes):
    """Every column has the first class: the pictures do not change along a row."""
    return truth(decode, styles, num_classes)[:, :1].expand(-1, num_classes, -1)


def not_laid_out(decode, styles, num_classes):
    """Your pictures are right, but they lie in one long list. Give them two axes: `(S, C, D)`."""
    return truth(decode, styles, num_classes).flatten(0, 1)


def counted_from_one(decode, styles, num_classes):
    """You began with class 1 and came round to class 0. The classes count from 0."""
    return truth(decode, styles, num_classes).roll(-1, dims=1)


def by_repeats(decode, styles, num_classes):
    """Repeat styles element by element, and classes as a whole."""
    z = styles.repeat_interleave(num_classes, 0)
    y = torch.arange(num_classes).repeat(len(styles))
    return decode(z, y).unflatten(0, (len(styles), num_classes))


def by_hand(decode, styles, num_classes):
    """Every style with every class."""
    z = styles.repeat_interleave(num_classes, dim=0)
    y = torch.arange(num_classes).repeat(len(styles))
    return decode(z, y).reshape(len(styles), num_classes, -1)


EXERCISE = Exercise(
    name="09-style-grid",
    title="Fix the style, change the class",
    difficulty=1,
    minutes=10,
    parameters=("decode", "styles", "num_classes"),
    cases=cases,
    truth=truth,
    hints=(
        "How many pictures are there? Which two numbers tell where each of them stands?",
        "Make two lists of S·C entries: each style C times in a row, and the classes over and "
        "over. Decode them at once and cut the result into rows.",
        "`z = styles.repeat_interleave(num_classes, 0)`, `y = torch.arange(num_classes)"
        ".repeat(len(styles))`, then `decode(z, y).unflatten(0, (len(styles), num_classes))`.",
    ),
    mistakes=(
        classes_and_styles_in_step,
        transposed,
        scrambled,
        one_style,
        one_class,
        not_laid_out,
        counted_from_one,
    ),
    alternatives=(by_repeats,),
    formulas=(by_hand,),
    right="Along a row the hand stays. Down a column the digit does.",
)
