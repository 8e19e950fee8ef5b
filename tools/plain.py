"""Turn MyST Markdown into the plain Markdown that JupyterLab, Colab and VS Code show well."""

import re
from dataclasses import dataclass, field

FENCE = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$", re.MULTILINE)
EQUATION = re.compile(r"\$\$(?P<math>[^$]+)\$\$[ \t]*\((?P<label>[\w-]+)\)")
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]*)`")
TARGET = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
NAMED = ("note", "tip", "warning", "important", "seealso", "hint", "caution")
STATEMENTS = ("theorem", "lemma", "proof", "definition", "corollary", "proposition")


@dataclass
class Labels:
    """What the roles of all chapters refer to."""

    numbers: dict[str, str] = field(default_factory=dict)  # label: "Fig. 4.2", "(4.1)"
    titles: dict[str, str] = field(default_factory=dict)  # file without suffix: its title
    citations: dict[str, tuple[str, str]] = field(default_factory=dict)  # key: authors, year
    glued: dict[str, str] = field(default_factory=dict)  # name: the value of the last run


def quoted(title, body):
    """Return a block quote with a bold title."""
    lines = [f"**{title}**", "", *body.strip().splitlines()] if title else body.splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def folded(title, body):
    """Return a block that opens on a click."""
    return f"<details>\n<summary>{title}</summary>\n\n{body.strip()}\n\n</details>\n"


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
        return folded(title, body)
    if name == "admonition":
        return quoted(title, body)
    if name in NAMED:
        return quoted(name.capitalize(), f"{title}\n{body}")
    if name.startswith("prf:") and name[4:] in STATEMENTS:
        head = number or name[4:].capitalize()
        return quoted(f"{head} ({title})" if title else head, body)
    if name in ("image", "figure"):
        picture = f"![{options.get('alt', '')}](../book/{title})"
        return f"{picture}\n\n{body.strip()}".rstrip()
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


def role(match, labels):
    """Return one role as plain Markdown."""
    name, text = match["role"], match["text"]
    words, target = re.fullmatch(r"(?:(.*?)\s*<(.+)>|(.*))", text, re.DOTALL).group(1, 2)
    target = target or text
    if name == "doc":
        file = target.removeprefix("/").removeprefix("book/")
        words = words or labels.titles.get(file, file)
        return f"[{words}]({file}.ipynb)" if file in labels.titles else f"*{words}*"
    if name in ("eq", "numref", "ref", "prf:ref"):
        return words or labels.numbers.get(target, target)
    if name.startswith("cite:"):
        return citation(text, labels, name == "cite:p")
    if name.startswith("glue:"):
        return labels.glued.get(target, "…")
    if name.startswith("py:"):
        call = "()" if name in ("py:func", "py:meth") else ""
        return f"`{words or target.lstrip('~').removeprefix('vaecourse.')}{call}`"
    if name in ("term", "abbr", "math", "sub", "sup"):
        return f"${text}$" if name == "math" else words or text
    raise ValueError(f"no plain form of the role {{{name}}} is known; add it to tools/plain.py")


def plain(text, labels):
    """Return MyST Markdown as plain Markdown."""
    while FENCE.search(text):
        text = FENCE.sub(lambda match: directive(match, labels), text)
    text = TARGET.sub("", text)

    def tagged(match):
        number = labels.numbers[match["label"]].strip("()")
        return f"$${match['math'].rstrip()}\n\\tag{{{number}}}\n$$"

    text = EQUATION.sub(tagged, text)
    return ROLE.sub(lambda match: role(match, labels), text)
