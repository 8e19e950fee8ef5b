"""Where the variants of the VAE differ: one bound, and what each changes in it."""

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
            (2, "Heads", "coins, bell curves"),
            (9, "M2", "sees the class, too"),
            (14, "Counts", "negative binomial"),
        ),
    ),
    (
        "prior",
        "$*p*(*z*)$",
        (
            (9, "M2", "a class beside $*z*$"),
            (13, "Learned prior", "mixture of posteriors"),
            (15, "Hierarchy", "is itself a VAE"),
            (15, "VQ-VAE", "uniform over words"),
        ),
    ),
    (
        "posterior",
        "$*q*_{*ϕ*}(*z* | *x*)$",
        (
            (9, "M2", "guesses the class"),
            (15, "VQ-VAE", "rounds to a word"),
            (15, "Flow", "bends a Gaussian"),
            (15, "Diffusion", "fixed: adds noise"),
        ),
    ),
    (
        "objective",
        "mean of $log *w*$",
        (
            (10, "Prediction", "as a constraint"),
            (12, "Beta-VAE", "weight on the rate"),
            (12, "Beta-TCVAE", "on a part of it"),
            (13, "IWAE", "$*K*$ weights at once"),
        ),
    ),
)
HERE = 15  # the chapter that shows the map


def _variant(x: float, y: float, chapter: int, name: str, change: str) -> list[str]:
    """Return a variant's box: its chapter, its name, and what it changes."""
    color = CORAL if chapter == HERE else ACCENT
    return [
        box(x, y, *BOX, stroke=color, fill=color),
        text(x, y - 12, f"{chapter:02d} {name}", size=14, weight="600"),
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
    parts = [text(WIDTH / 2, 20, bound, size=18)]
    listing = []
    for column, (part, symbol, variants) in enumerate(COLUMNS):
        x = MARGIN + BOX[0] / 2 + column * (BOX[0] + GAP)
        parts.append(text(x, 58, part, size=15, weight="600"))
        parts.append(text(x, 82, symbol, size=15))
        parts.append(arrow([(x, 96), (x, TOP - BOX[1] / 2)], color=INK))
        for row, variant in enumerate(variants):
            parts += _variant(x, TOP + row * (BOX[1] + GAP), *variant)
        names = ", ".join(f"{name} (chapter {chapter})" for chapter, name, _ in variants)
        listing.append(f"The {part}: {names}")
    rows = max(len(variants) for _, _, variants in COLUMNS)
    height = TOP + (rows - 1) * (BOX[1] + GAP) + BOX[1] / 2 + MARGIN
    description = (
        f"Below each part of the bound stand the variants that change {'; '.join(listing)}."
    )
    return Diagram(WIDTH, height, "What each variant changes", description, tuple(parts))
