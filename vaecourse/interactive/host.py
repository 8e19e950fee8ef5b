"""How a figure shows itself: as HTML in a built page, as a widget in JupyterLab."""

import base64
import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from typing import Any

from matplotlib.figure import Figure

from vaecourse.interactive.bundle import module
from vaecourse.runtime import is_static

__all__ = ["LiveFigure"]

PRINT = (
    ".vae-explorer[data-live]>img{display:none}"
    "@media print{.vae-explorer[data-live]>img{display:block}.vae-explorer>.vae-live{display:none}}"
)


class LiveFigure:
    """A figure that its reader can move, in the page itself and without a kernel.

    Parameters
    ----------
    name : str
        Name of the figure, that of its file in ``source``: ``"elbo-gap"`` is ``elbo_gap.js``.
    options : mapping
        What the figure is about; numbers, strings, lists and mappings of them.
    state : mapping
        What the reader can change, at the start.
    picture : callable
        Draws the figure with Matplotlib, for print and where scripts are off.
    description : str
        The picture in words.
    blobs : mapping of str to bytes, optional
        Weights of networks by key.
    beside : LiveFigure, optional
        An earlier figure of the page; blobs that it holds are not stored again.
    """

    def __init__(
        self,
        name: str,
        options: Mapping,
        state: Mapping,
        *,
        picture: Callable,
        description: str,
        blobs: Mapping[str, bytes] | None = None,
        beside: "LiveFigure | None" = None,
    ) -> None:
        self.name = name
        self.options = dict(options)
        self.picture = picture
        self.description = description
        self.blobs = dict(blobs or {})
        self.beside = beside
        self._state = dict(state)
        self._widget = None

    @property
    def state(self) -> dict:
        """What the reader has set, read back from the page; assign a dictionary to move it."""
        return dict(self._widget.state if self._widget else self._state)

    @state.setter
    def state(self, values: Mapping) -> None:
        unknown = set(values) - set(self._state)
        if unknown:
            raise ValueError(f"state has the keys {sorted(self._state)}, got {sorted(unknown)}")
        self._state = {**self.state, **values}
        if self._widget:
            self._widget.state = self._state

    def html(self) -> str:
        """Return the figure as HTML that needs no kernel and no network."""
        values = json.dumps({"options": self.options, "state": self.state}, allow_nan=False)
        values = values.replace("<", r"\u003c")  # no "</script>" may end the element
        blobs = (
            f'<script type="text/plain" data-blob="{key}">{_base64(blob)}</script>'
            for key, blob in self.blobs.items()
            if self.beside is None or key not in self.beside.blobs
        )
        parts = (
            f'<div class="vae-explorer" data-figure="{self.name}">',
            f"<style>{PRINT}</style>",
            _image(self.picture(), self.description),
            f'<script type="application/json" data-values>{values}</script>',
            *blobs,
            "</div>",
            f'<script type="module">\n{module(self.name)}\nmountPage();\n</script>',
        )
        return "\n".join(parts)

    def _repr_html_(self) -> str | None:
        return self.html() if _is_static() else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if _is_static():
            return {"text/plain": repr(self), "text/html": self.html()}
        self._widget = self._widget or _widget_class(self.name)(
            options=self.options, state=self._state, blobs=self.blobs
        )
        return self._widget._repr_mimebundle_(include=include, exclude=exclude)

    def __repr__(self) -> str:
        return f"<LiveFigure: {self.name}>"


def _is_static() -> bool:
    """Tell whether a page is built, or there is nothing to talk to a live page with."""
    if is_static():
        return True
    try:
        import anywidget  # noqa: F401
    except ImportError:
        return True
    return False


@cache
def _widget_class(name: str) -> type:
    """Make the widget of one figure; anywidget is asked for only where it is used."""
    import anywidget
    import traitlets

    members = {
        "_esm": module(name),
        "options": traitlets.Dict().tag(sync=True),
        "state": traitlets.Dict().tag(sync=True),
        "blobs": traitlets.Dict().tag(sync=True),
    }
    return type("LiveFigureWidget", (anywidget.AnyWidget,), members)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _image(figure: Figure, description: str) -> str:
    """Return a picture as an ``img`` that carries its pixels with it, in few colors."""
    from PIL import Image

    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    Image.open(buffer).convert("RGB").quantize(48).save(small, format="png", optimize=True)
    width, pixels = round(figure.get_figwidth() * 110), _base64(small.getvalue())
    return f'<img src="data:image/png;base64,{pixels}" width="{width}" alt="{escape(description)}">'
