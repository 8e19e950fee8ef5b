"""`vaecourse notebooks`: write the chapters of the installed version into a folder."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import vaecourse
from vaecourse.runtime.files import check_writable, write_json, write_whole

__all__ = ["add_parser", "write_chapters"]

PACKED = Path(__file__).parent / "chapters"
RECORD = ".vaecourse.json"
"""Beside the chapters: what was written, by name, so that what was changed since is known."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand ``notebooks``."""
    parser = subparsers.add_parser(
        "notebooks",
        help="write the chapters into a folder, to work in",
        description="Write the chapters that belong to this version into a folder. A file there "
        "that you changed, or that came from elsewhere, is kept.",
    )
    parser.add_argument("folder", type=Path, help="where to; it is made where it is missing")
    parser.add_argument("--full", action="store_true", help="with the solutions")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the chapters and say what was written and what was kept."""
    kind = "full" if options.full else "student"
    written, kept = write_chapters(options.folder, kind)
    solutions = "with" if options.full else "without"
    print(
        f"{options.folder}: {len(written)} chapters of vaecourse {vaecourse.__version__}, "
        f"{solutions} solutions"
    )
    if kept:
        names = ", ".join(kept)
        print(f"kept as you left them: {names}; rename them, and this command writes these anew")


def write_chapters(folder: str | Path, kind: str = "student") -> tuple[list[str], list[str]]:
    """Write every packed chapter, except over a file that somebody else wrote or changed.

    Parameters
    ----------
    folder : path
        Where to.
    kind : str
        ``"student"``, without solutions, or ``"full"``.

    Returns
    -------
    written, kept : list of str
        Names of the chapters that are now those of this version, and of the files that were kept.

    Raises
    ------
    FileNotFoundError
        If the package carries no chapters, as an editable install.
    OSError
        If the folder cannot be written; nothing is written then.
    """
    chapters = {path.name: path.read_bytes() for path in sorted((PACKED / kind).glob("*.ipynb"))}
    if not chapters:
        raise FileNotFoundError(
            f"{Path(__file__).parent} is a working copy, which carries no chapters; run `make "
            "student` in it, or install the package from a wheel"
        )
    folder = Path(folder).expanduser()
    before = _record(folder)
    kept = [name for name, text in chapters.items() if not _ours(folder / name, text, before)]
    written = [name for name in chapters if name not in kept]
    for name in [*written, RECORD]:
        check_writable(folder / name)
    for name in written:
        write_whole(folder / name, chapters[name].decode())
    digests = {name: _digest(chapters[name]) for name in written}
    write_json(folder / RECORD, before | digests)
    return written, kept


def _ours(path: Path, text: bytes, before: dict) -> bool:
    """Tell whether a file may be written: it is missing, or holds what this command wrote."""
    if not path.exists() and not path.is_symlink():
        return True
    if not path.is_file():
        return False
    there = path.read_bytes()
    return there == text or _digest(there) == before.get(path.name)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _record(folder: Path) -> dict:
    """Return what earlier runs wrote; where that is not known, every other file is kept."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
