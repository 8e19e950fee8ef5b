"""Places in which little can be written: full disks, foreign folders, odd names, no home."""

import os
import resource
import signal
import stat
import subprocess
import sys
from functools import partial

from soak_files import refusal
from soak_kills import KINDS, Group, differing, train

from vaecourse.runtime.files import whole_file

NAMES = ("with spaces in it", "größe", "数据", "☃ and 'quotes'", "a" * 100, "-n", "%s {x} $HOME")
NO_HOME = """
import vaecourse as vae
split = vae.load("digits")
model = vae.mlp_vae((1, 8, 8), 2, hidden=(4,))
vae.fit(model, vae.objectives.elbo, split, steps=2, progress=False)
from vaecourse.exercises import check, progress
progress()
from vaecourse.data.storage import cache_folder
assert cache_folder().is_dir()
"""


def _apart(call):
    """Call something in a process of its own; return what it found wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = call()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def _write_until(size, path, before):
    """Train with files limited to a size, as on a full disk; say what was wrong with the end."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    found, words = refusal(partial(train, "VAE"), path)
    if found is not None:
        return "it was not refused"
    if (path.read_bytes() if path.exists() else None) != before:
        return "the old file was changed"
    if [file for file in path.parent.iterdir() if file != path]:
        return "something was left"
    return "" if words.startswith("OSError") and "\n" not in words else words


def full_disk(folder, _seed, _number):
    """A checkpoint that the disk has no room for leaves the old one and says so."""
    for size in (0, 1, 100, 5000):
        path = folder / str(size) / "run"
        path.parent.mkdir()
        yield f"{size} bytes, nothing there", _apart(partial(_write_until, size, path, None))
        train("VAE", path)
        content = path.read_bytes()
        _shorten(path)
        before = path.read_bytes()
        yield f"{size} bytes, a run there", _apart(partial(_write_until, size, path, before))
        path.write_bytes(content)
        yield f"{size} bytes, afterwards", differing(train("VAE", path), train("VAE"))


def _shorten(path):
    """Put a run in the place of a file that has steps to go."""
    path.unlink()
    kind = KINDS["VAE"]
    KINDS["VAE"] = kind | {"steps": 20}
    train("VAE", path)
    KINDS["VAE"] = kind


def _refused(path):
    found, words = refusal(partial(train, "VAE"), path)
    if found is not None:
        return "it was not refused"
    return "" if words.startswith(("PermissionError", "OSError")) and "\n" not in words else words


def _as_nobody(call):
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    return call()


def read_only(folder, _seed, _number):
    """Where nothing can be written, a run is refused before its work, and a finished one read."""
    os.chmod(folder.parent, 0o755)
    path = folder / "run"
    wanted = train("VAE", path)
    path.chmod(0o644)
    folder.chmod(0o555)
    yield "a new run", _apart(partial(_as_nobody, partial(_refused, folder / "new")))
    read = lambda: differing(train("VAE", path), wanted)  # noqa: E731
    yield "a finished run", _apart(partial(_as_nobody, read))
    folder.chmod(0o755)


def _masked(folder):
    os.umask(0o077)
    train("VAE", folder / "run")
    with whole_file(folder / "text") as unfinished:
        unfinished.write_text("text", encoding="utf-8")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()]
    return "" if modes == [0o600] * 2 else f"modes {modes}"


def places(folder, _seed, _number):
    """Names of every kind, a strict umask and no home."""
    wanted = train("VAE")
    for name in NAMES:
        path = folder / name / name
        train("VAE", path)
        yield f"a folder {name[:20]!r}", differing(train("VAE", path), wanted)
    masked = folder / "masked"
    masked.mkdir()
    yield "umask 077", _apart(partial(_masked, masked))
    kept = {k: v for k, v in os.environ.items() if k != "HOME" and not k.startswith("XDG")}
    kept |= {"PYTHONPATH": os.pathsep.join(sys.path[:1]), "VAECOURSE_STATIC": "0"}
    done = subprocess.run(
        [sys.executable, "-c", NO_HOME], env=kept, capture_output=True, encoding="utf-8"
    )
    yield "no HOME", done.stderr[-300:] if done.returncode else ""


GROUPS = [
    Group("full disk", 12, full_disk),
    Group("read-only folder", 2, read_only),
    Group("odd names, umask, no home", len(NAMES) + 2, places),
]
