"""Draw the map of the course for the welcome page.

Run `python tools/draw_diagrams.py`; it writes book/_static/course-map.svg. A chapter counts as
written when its notebook is in the book.
"""

from pathlib import Path

from vaecourse.diagrams import Diagram, course_map

BOOK = Path(__file__).parent.parent / "book"
CHAPTERS = {
    "Part I · From compressing to generating": [
        (0, "Welcome"),
        (1, "Autoencoders"),
        (2, "Variational autoencoders"),
        (3, "Direct Monte Carlo"),
    ],
    "Making it trainable": [
        (4, "The ELBO"),
        (5, "Reparameterization"),
        (6, "A VAE in ten lines"),
        (7, "MNIST"),
    ],
    "Learning from few labels": [
        (8, "Semi-supervised learning and M1"),
        (9, "M2"),
        (10, "Prediction-constrained VAE"),
        (11, "Experiments"),
    ],
    "Part II · Beyond the talk": [
        (12, "Disentanglement"),
        (13, "Tighter bounds"),
        (14, "From digits to cells"),
        (15, "Where next"),
    ],
}


def draw(book: Path = BOOK) -> Diagram:
    """Return the map, with the chapters that `book` holds marked as written."""
    rows = {
        heading: [
            (number, title, number == 0 or any(book.glob(f"{number:02d}-*.ipynb")))
            for number, title in chapters
        ]
        for heading, chapters in CHAPTERS.items()
    }
    return course_map(rows)


if __name__ == "__main__":
    draw().save(BOOK / "_static" / "course-map.svg")
