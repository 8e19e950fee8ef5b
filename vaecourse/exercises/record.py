"""What a student has solved: one small JSON file on this machine, sent nowhere."""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import platformdirs

from vaecourse.data.storage import under_home
from vaecourse.runtime import is_static
from vaecourse.runtime.files import check_writable, write_json
from vaecourse.runtime.locks import BusyError, in_turn
from vaecourse.runtime.terminal import say

__all__ = ["forget", "load", "note", "path", "trouble"]

PATIENCE = 10.0
"""Seconds that a note waits for another process, which needs milliseconds for its own."""


def path() -> Path:
    """Return where the record lies: ``VAECOURSE_PROGRESS``, or the user's data folder.

    Raises
    ------
    OSError
        If neither is known.
    """
    named = os.environ.get("VAECOURSE_PROGRESS")
    if named:
        return Path(named).expanduser()
    return under_home(platformdirs.user_data_path) / "progress.json"


def trouble() -> str:
    """Say why nothing can be written down here and what to do, or nothing."""
    try:
        check_writable(path())
    except OSError as error:
        words = error.__cause__ or error
        return (
            f"what you solve is written down nowhere ({words}); name a file in VAECOURSE_PROGRESS"
        )
    return ""


def is_sound(record) -> bool:
    """Tell whether the record has the form that `note` writes."""
    return isinstance(record, dict) and all(
        isinstance(row, dict)
        and isinstance(row.get("attempts"), int)
        and isinstance(row.get("solved"), str | None)
        for row in record.values()
    )


def load() -> dict[str, dict]:
    """Return the record; a damaged file is set aside, and the record begins anew."""
    record = read()
    if record is None:
        # Another process may have put a sound one there since.
        with suppress(OSError, BusyError), in_turn(path(), PATIENCE):
            record = sound()
    return record or {}


def read() -> dict[str, dict] | None:
    """Return what the file holds, nothing where there is none, and None if it is damaged."""
    try:
        record = json.loads(path().read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError:
        return None
    return record if is_sound(record) else None


def sound() -> dict[str, dict]:
    """Read the file, or set it aside if it is damaged; only for who has it alone."""
    record = read()
    if record is None:
        os.replace(path(), path().with_name(f"{path().name}.damaged"))
    return record or {}


def write(record: dict) -> None:
    """Write the record whole or not at all."""
    write_json(path(), dict(sorted(record.items())))


def note(name: str, passed: bool) -> None:
    """Write down one attempt. A page that is being built, or a full disk, leaves no trace."""
    if is_static():
        return
    try:
        with in_turn(path(), PATIENCE):
            record = sound()
            row = record.setdefault(name, {"attempts": 0, "solved": None})
            row["attempts"] += 1
            if passed and row["solved"] is None:
                row["solved"] = datetime.now().astimezone().isoformat(timespec="seconds")
            write(record)
    except OSError:
        return
    except BusyError as error:
        say(f"this attempt was not written down: {error}", aside=True)


def forget() -> None:
    """Delete the record."""
    if path().exists():
        with in_turn(path(), PATIENCE):
            path().unlink(missing_ok=True)
