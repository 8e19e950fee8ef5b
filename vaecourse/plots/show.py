"""How a figure is shown: as a picture on the page's own paper, in light and in dark."""

import base64
import io
from html import escape

from matplotlib.figure import Figure
from matplotlib.image import AxesImage

__all__ = ["DARK_FILTER", "DARK_PAGES"]

# What a dark page does to a figure: dark becomes light and light dark, and every hue stays. Paper
# is transparent. `book/_static/course.css` says the same, and a test compares the two.
DARK_FILTER = "invert(0.92) hue-rotate(180deg)"
# The book, JupyterLab and Notebook, VS Code, Colab.
DARK_PAGES = (
    'html[data-theme="dark"]',
    'body[data-jp-theme-light="false"]',
    "body.vscode-dark",
    "html[theme=dark]",
)
RULE = ",".join(f"{page} .vae-figure" for page in DARK_PAGES) + f"{{filter:{DARK_FILTER}}}"
JPEG_QUALITY = 92


def has_photographs(figure: Figure) -> bool:
    """Tell whether a figure holds an image in colors of its own, which no page may turn."""
    pictures = figure.findobj(AxesImage)
    return any(picture.get_array().ndim == 3 for picture in pictures)


def as_png(figure: Figure, dpi: float, paper: str = "none") -> bytes:
    """Return a figure as PNG, on transparent paper without `paper`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=paper)
    return buffer.getvalue()


def as_jpeg(figure: Figure, dpi: float, paper: str) -> bytes:
    """Return a figure as JPEG, which is what pages know photographs by."""
    buffer = io.BytesIO()
    options = {"quality": JPEG_QUALITY}
    figure.savefig(buffer, format="jpeg", dpi=dpi, facecolor=paper, pil_kwargs=options)
    return buffer.getvalue()


def as_html(figure: Figure, dpi: float, width: int) -> str:
    """Return a figure as HTML that follows the page into dark mode."""
    data = base64.b64encode(as_png(figure, dpi)).decode()
    style = f"width:{width}px;max-width:100%;height:auto"
    source = f"data:image/png;base64,{data}"
    return (
        f"<style>{RULE}</style>"
        f'<img class="vae-figure" style="{style}" alt="{escape(words_of(figure))}" src="{source}">'
    )


def words_of(figure: Figure) -> str:
    """Say what the axes of a figure show, for who does not see it; captions say more."""
    words = [figure.get_supxlabel(), figure.get_supylabel()]
    for axes in figure.axes:
        words += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    said = list(dict.fromkeys(word for word in words if word))
    return "Figure: " + ", ".join(said) if said else "Figure of images"
