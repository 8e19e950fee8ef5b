"""Turn MyST Markdown into the plain Markdown that JupyterLab, Colab and VS Code show well."""

import posixpath
import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

FENCE = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$", re.MULTILINE)
EQUATION = re.compile(r"\$\$(?P<math>[^$]+)\$\$[ \t]*\((?P<label>[\w-]+)\)")
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]*)`")
TARGET = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
MATH = re.compile(r"(\$[^$]+\$)")
DEFINED = re.compile(r"^(\S.*)\n: +(?=\S)", re.MULTILINE)
NAMED = ("note", "tip", "warning", "important", "seealso", "hint", "caution")
STATEMENTS = ("theorem", "lemma", "proof", "definition", "corollary", "proposition")


@dataclass
class Labels:
    """What the roles of all chapters refer to."""

    numbers: dict[str, str] = field(default_factory=dict)  # label: "Fig. 4.2", "(4.1)"
    titles: dict[str, str] = field(default_factory=dict)  # file without suffix: its title
    citations: dict[str, tuple[str, str]] = field(default_factory=dict)  # key: authors, year
    glued: dict[str, str] = field(default_factory=dict)  # name: the value of the last run
    folder: str = ""  # of the page that is read, below book/: links start there
    live: bool = False  # for a JupyterLab that fills sentences: ``reading-copies/reading.js``


def quoted(title, body):
    """Return a block quote with a bold title."""
    lines = [f"**{title}**", "", *body.strip().splitlines()] if title else body.splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def box(title, body, kind=""):
    """Return a block quote that the course's extension of JupyterLab makes a box."""
    head = f"**{title}**\n\n" if title else ""
    style = f"course-box {kind}".rstrip()
    return f'<blockquote class="{style}">\n\n{head}{body.strip()}\n\n</blockquote>'


def framed(title, body, labels, kind=""):
    """Return a block set apart, as well as the reader's program can."""
    return box(title, body, kind) if labels.live else quoted(title, body)


def in_html(text):
    """Return a line of Markdown as HTML; formulas stay, since they are set later."""
    pieces = MATH.split(text)
    words = MarkdownIt("commonmark").renderInline
    return "".join(part if MATH.fullmatch(part) else words(part) for part in pieces)


def folded(title, body):
    """Return a block that opens on a click."""
    summary = f"<summary>{in_html(title)}</summary>"
    return f"<details>\n{summary}\n\n{body.strip()}\n\n</details>\n"


def listed(body):
    """Return a list of terms, each with its definition, from a glossary."""
    return re.sub(r"^(\S.*)$", r"- **\1**\n", body.strip(), flags=re.MULTILINE)


def pictured(options, path, body, labels):
    """Return an image with the number and the caption that it may have."""
    place = "" if labels.live else "../book/"
    picture = f"![{options.get('alt', '')}]({place}{path})"
    number = labels.numbers.get(options.get("name", ""))
    caption = f"*{number}. {body.strip()}*" if number else body.strip()
    return f"{picture}\n\n{caption}".rstrip()


def directive(match, labels):
    """Return one directive as plain Markdown."""
    name, title, body = match["name"], match["title"].strip(), match["body"]
    options = dict(OPTION.findall(match["options"]))
    number = labels.numbers.get(options.get("label", ""), "")
    if name in ("exercise", "exercise-start"):
        return f"### {number}: {title}\n\n{body.strip()}".rstrip()
    if name == "exercise-end":
        return ""
    if name == "dropdown" or "dropdown" in options.get("class", ""):
        return folded(roles(title, labels), body)
    if name == "admonition":
        return framed(title, body, labels)
    if name in NAMED:
        kind = "warning" if name in ("warning", "caution") else ""
        return framed(name.capitalize(), f"{title}\n{body}", labels, kind)
    if name.startswith("prf:") and name[4:] in STATEMENTS:
        head = number or name[4:].capitalize()
        return framed(f"{head} ({title})" if title else head, body, labels)
    if name in ("image", "figure"):
        return pictured(options, title, body, labels)
    if name == "glossary":
        return listed(body)
    if name in ("nb-exec-table", "include"):
        return "*The built page holds this table.*"
    raise ValueError(
        f"no plain form of the directive {{{name}}} is known; add it to tools/plain.py"
    )


def citation(text, labels, parenthetical):
    """Return one or more citations in words."""
    words = []
    for key in (part.strip() for part in text.split(",")):
        authors, year = labels.citations[key]
        words.append(f"{authors}, {year}" if parenthetical else f"{authors} ({year})")
    return f"({'; '.join(words)})" if parenthetical else ", ".join(words)


def link(target, words, labels):
    """Return a link to the copy of another page."""
    here = labels.folder or "."
    file = posixpath.normpath(posixpath.join(here, target.removeprefix("book/")))
    if target.startswith("/"):
        file = target.removeprefix("/").removeprefix("book/")
    words = words or labels.titles.get(file, file)
    if file not in labels.titles:
        return f"*{words}*"
    return f"[{words}]({posixpath.relpath(file, here)}.ipynb)"


def number_of(name, labels):
    """Return a number that a run yields, with its name where a later run renews it."""
    value = labels.glued.get(name, "…")
    return f'<span class="glued {name}">{value}</span>' if labels.live else value


def role(match, labels):
    """Return one role as plain Markdown."""
    name, text = match["role"], match["text"]
    words, target = re.fullmatch(r"(?:(.*?)\s*<(.+)>|(.*))", text, re.DOTALL).group(1, 2)
    target = target or text
    if name == "doc":
        return link(target, words, labels)
    if name in ("eq", "numref", "ref", "prf:ref"):
        return words or labels.numbers.get(target, target)
    if name.startswith("cite:"):
        return citation(text, labels, name == "cite:p")
    if name.startswith("glue:"):
        return number_of(target, labels)
    if name.startswith("py:"):
        call = "()" if name in ("py:func", "py:meth") else ""
        return f"`{words or target.lstrip('~').removeprefix('vaecourse.')}{call}`"
    if name in ("term", "abbr", "math", "sub", "sup"):
        return f"${text}$" if name == "math" else words or text
    raise ValueError(f"no plain form of the role {{{name}}} is known; add it to tools/plain.py")


def roles(text, labels):
    """Return a text with its roles as plain Markdown."""
    return ROLE.sub(lambda match: role(match, labels), text)


def plain(text, labels):
    """Return MyST Markdown as plain Markdown."""
    while FENCE.search(text):
        text = FENCE.sub(lambda match: directive(match, labels), text)
    text = DEFINED.sub(r"- **\1**\n\n  ", TARGET.sub("", text))

    def tagged(match):
        number = labels.numbers[match["label"]].strip("()")
        return f"$${match['math'].rstrip()}\n\\tag{{{number}}}\n$$"

    return roles(EQUATION.sub(tagged, text), labels)
