"""One ES module for each figure, joined from the small files in ``source``.

The files are ES modules themselves. Joined, each becomes a function of its own, so that no two
names meet, and nothing of a figure is visible to the page around it.
"""

import json
import re
from functools import cache
from importlib.resources import files

__all__ = ["module"]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const) (\w+)", re.MULTILINE)


def _source(name: str) -> str:
    """Return a file without its comments and indents: they would weigh on every page."""
    text = files("vaecourse.interactive").joinpath("source", name).read_text(encoding="utf-8")
    text = re.sub(r"^ */\*\*.*?\*/$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(?:^| +)// .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^ *\n|^ +", "", text, flags=re.MULTILINE)


def _order(name: str, found: dict[str, str]) -> dict[str, str]:
    """Put the files that `name` imports before it."""
    if name not in found:
        text = _source(f"{name}.js")
        for match in _IMPORT.finditer(text):
            _order(match[2], found)
        found[name] = text
    return found


def _wrapped(name: str, text: str) -> str:
    """Turn a file into a function that is called once and returns what the file exports."""
    body = _IMPORT.sub(lambda match: f"const {{{match[1]}}} = in_{match[2]};\n", text)
    names = ", ".join(match[2] for match in _EXPORT.finditer(body))
    body = _EXPORT.sub(r"\1 \2", body)
    return f"const in_{name} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


@cache
def module(figure: str) -> str:
    """Return the ES module of one figure, such as ``"elbo-gap"``.

    It exports ``mathematics``, the pure functions that it draws; ``mountPage``, which brings the
    figures of its name on a page to life; and, by default, the widget that anywidget asks for.
    """
    name = figure.replace("-", "_")
    parts = [_wrapped(each, text) for each, text in _order(name, {}).items()]
    sheet, label = json.dumps(_source("style.css")), json.dumps(figure)
    return "\n".join(
        [
            *parts,
            f"const sheet = {sheet};",
            f"export const mathematics = in_{name}.mathematics;",
            f"export const mountPage = () => in_core.mountPage({label}, in_{name}.build, sheet);",
            "const render = (context) => "
            f"in_core.mountWidget({label}, in_{name}.build, sheet, context);",
            "export default { render };",
            "",
        ]
    )
