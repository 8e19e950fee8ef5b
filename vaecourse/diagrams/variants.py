"""Where the variants of the VAE differ: one bound, and what each changes in it."""

import re
from pathlib import Path

from vaecourse.diagrams.svg import ACCENT, CORAL, INK, Diagram, arrow, box, text

__all__ = ["variants_map"]

WIDTH, MARGIN = 668, 4
BOX = (158, 52)
GAP = 9.3
TOP = 142  # center of the first row of boxes
COLUMNS = (
    (
        "likelihood",
        "$*p*_{*θ*}(*x* | *z*)$",
        (
            ("variational-autoencoders", "Heads", "coins, bell curves"),
            ("m2", "M2", "sees the class, too"),
            ("cells", "Counts", "negative binomial"),
        ),
    ),
    (
        "prior",
        "$*p*(*z*)$",
        (
            ("m2", "M2", "a class beside $*z*$"),
            ("tighter-bounds", "Learned prior", "mixture of posteriors"),
            ("where-next", "Hierarchy", "is itself a VAE"),
            ("where-next", "VQ-VAE", "uniform over words"),
        ),
    ),
    (
        "posterior",
        "$*q*_{*ϕ*}(*z* | *x*)$",
        (
            ("m2", "M2", "guesses the class"),
            ("where-next", "VQ-VAE", "rounds to a word"),
            ("where-next", "Flow", "bends a Gaussian"),
            ("where-next", "Diffusion", "fixed: adds noise"),
        ),
    ),
    (
        "objective",
        "mean of $log *w*$",
        (
            ("prediction-constrained", "Prediction", "as a constraint"),
            ("beta-vae", "Beta-VAE", "weight on the rate"),
            ("beta-vae", "Beta-TCVAE", "on a part of it"),
            ("tighter-bounds", "IWAE", "$*K*$ weights at once"),
        ),
    ),
)
HERE = "where-next"  # the chapter that shows the map
CONTENTS = Path(__file__).resolve().parent.parent.parent / "_toc.yml"
CHAPTER = re.compile(r"^\s*- file: book/(\d\d)-(\S+)$", re.MULTILINE)


def _chapters() -> dict[str, str]:
    """Return the number of each chapter by its name; none where the book is not at hand."""
    if not CONTENTS.is_file():
        return {}
    found = CHAPTER.findall(CONTENTS.read_text(encoding="utf-8"))
    return {name: number for number, name in found}


def _variant(x: float, y: float, number: str, here: bool, name: str, change: str) -> list[str]:
    """Return a variant's box: its chapter, its name, and what it changes."""
    color = CORAL if here else ACCENT
    return [
        box(x, y, *BOX, stroke=color, fill=color),
        text(x, y - 12, f"{number} {name}".strip(), size=14, weight="600"),
        text(x, y + 12, change, size=13),
    ]


def variants_map() -> Diagram:
    """Draw the bound and, below each of its parts, the variants that change that part.

    Returns
    -------
    Diagram
        Drawing 668 wide, with a column for the likelihood, the prior, the posterior and the
        objective.
    """
    bound = "$log *w*  =  log *p*_{*θ*}(*x* | *z*)  +  log *p*(*z*)  −  log *q*_{*ϕ*}(*z* | *x*)$"
    parts, listing, numbers = [text(WIDTH / 2, 20, bound, size=18)], [], _chapters()
    for column, (part, symbol, variants) in enumerate(COLUMNS):
        x = MARGIN + BOX[0] / 2 + column * (BOX[0] + GAP)
        parts.append(text(x, 58, part, size=15, weight="600"))
        parts.append(text(x, 82, symbol, size=15))
        parts.append(arrow([(x, 96), (x, TOP - BOX[1] / 2)], color=INK))
        names = []
        for row, (chapter, name, change) in enumerate(variants):
            number, y = numbers.get(chapter, ""), TOP + row * (BOX[1] + GAP)
            parts += _variant(x, y, number, chapter == HERE, name, change)
            names.append(f"{name} (chapter {int(number)})" if number else name)
        listing.append(f"The {part}: {', '.join(names)}")
    rows = max(len(variants) for _, _, variants in COLUMNS)
    height = TOP + (rows - 1) * (BOX[1] + GAP) + BOX[1] / 2 + MARGIN
    description = (
        f"Below each part of the bound stand the variants that change {'; '.join(listing)}."
    )
    return Diagram(WIDTH, height, "What each variant changes", description, tuple(parts))
