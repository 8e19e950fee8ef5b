"""Make notebooks fit for the repository: no outputs, no stray metadata, stable ids and key order.

    python tools/notebook.py clean book/*.ipynb

The exit status is 1 where a file changed, as a pre-commit hook wants it.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat
from nbstripout import strip_output
from render import write
from speak import on_any_terminal

CELL_KEYS = ("tags", "mystnb")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def clean(text):
    """Return the notebook JSON ``text`` in its one clean form."""
    notebook = nbformat.v4.reads(text)  # nbformat.reads would give repeated ids random names
    notebook = strip_output(notebook, keep_output=False, keep_count=False, keep_id=True)
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = set()
    for number, cell in enumerate(notebook.cells):
        kept = {key: cell.metadata[key] for key in CELL_KEYS if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        cell.pop("attachments", None)
        if not cell.get("id") or cell.id in seen:
            cell.id = hashlib.sha256(f"{number}\0{cell.source}".encode()).hexdigest()[:8]
        seen.add(cell.id)
    return nbformat.writes(notebook) + "\n"


def main():
    """Read the command line, rewrite the notebooks that are not clean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["clean"])
    parser.add_argument("--check", action="store_true", help="name the files, change none")
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    status = 0
    for path in arguments.files:
        before = path.read_text(encoding="utf-8")
        after = clean(before)
        if after == before:
            continue
        status = 1
        if arguments.check:
            print(f"{path} is not clean: python tools/notebook.py clean {path}")
            continue
        write(path, after)
        print(f"cleaned {path}")
    return status


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
