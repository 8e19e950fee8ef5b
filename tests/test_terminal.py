"""The commands on poor terminals, into pipes that close, and for users without a home."""

import io
import json
import os
import subprocess
import sys

import nbformat
import pytest

from vaecourse import __main__
from vaecourse.__main__ import main
from vaecourse.data.download import _bar
from vaecourse.exercises.catalogue import exercises
from vaecourse.runtime import progress_bar, terminal

UNCLEAN = nbformat.writes(nbformat.v4.new_notebook(metadata={"widgets": {}}), indent=7)
ANSWER = """
from vaecourse.exercises import check
def best(x): return x
check("01-squared-error", best)
"""


@pytest.fixture
def own_folders(monkeypatch, tmp_path):
    for variable in ("CACHE", "PROGRESS"):
        monkeypatch.setenv(f"VAECOURSE_{variable}", str(tmp_path / variable.lower()))
    monkeypatch.delenv("VAECOURSE_DATA", raising=False)


@pytest.fixture
def commands(tmp_path):
    """Return every command, with what it needs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(ANSWER)])
    nbformat.write(notebook, tmp_path / "answers.ipynb")
    toy = ["--datasets", "digits", "--labels", "50", "--seeds", "1", "--budget", "0.01"]
    rows, weights = ["--folder", str(tmp_path / "rows")], str(tmp_path / "vae")
    return [
        ["exercises", "list"],
        ["exercises", "progress"],
        ["exercises", "check", str(tmp_path / "answers.ipynb")],
        ["experiments", "encoder", *toy, *rows, "--dry-run"],
        ["experiments", "pixels_logistic", *toy, *rows],
        ["doctor"],
        ["train", "vae", weights, "--data", "digits"],
        ["evaluate", weights],
    ]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.usefixtures("own_folders")
def test_every_command_speaks_to_every_terminal(monkeypatch, commands, encoding):
    for command in commands:
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        code = main(command)
        sys.stdout.flush()
        sys.stderr.flush()
        assert code == (1 if "check" in command else 0), sys.stderr.buffer.getvalue()
        assert sys.stdout.buffer.getvalue()


def test_what_a_terminal_lacks_is_written_plainly():
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="vaecourse.plain")
    shown.write("★★ ✓ ½·σ² − μ → déjà … \udc80")
    shown.flush()
    assert shown.buffer.getvalue() == b"** + 1/2-sigma2 - mu -> deja ... ?"


def test_the_list_as_json_holds_every_title_on_every_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert main(["exercises", "list", "--json"]) == 0
    rows = json.loads(sys.stdout.buffer.getvalue())
    assert [row["title"] for row in rows] == [one.title for one in exercises().values()]


@pytest.fixture
def unread():
    """Return the end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_a_reader_that_stops_reading_ends_the_command(repository, unread):
    """It ends without a word, the interpreter's own last words included."""
    done = subprocess.run(
        [sys.executable, "-m", "vaecourse", "exercises", "list"],
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=unread,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (terminal.READER_GONE, "")


@pytest.mark.parametrize("command", ["list", "progress"])
def test_so_does_one_that_stops_before_the_end(monkeypatch, capsys, unread, command):
    """More than the buffer holds, which fails while it is printed; less, which fails at the end."""
    with open(os.dup(unread), "w", encoding="utf-8") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main(["exercises", command]) == terminal.READER_GONE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("tool", ["rooms", "notebook"])
def test_a_tool_whose_reader_stops_reading_ends_too(repository, tmp_path, unread, tool):
    """One that prints when it ends, and one that must not be mistaken for having found nothing."""
    path = tmp_path / "unclean.ipynb"
    path.write_text(UNCLEAN, encoding="utf-8")
    arguments = ["clean", "--check", str(path)] if tool == "notebook" else []
    done = subprocess.run(
        [sys.executable, f"tools/{tool}.py", *arguments],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=unread,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (terminal.READER_GONE, "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_tool_names_every_path_on_every_terminal(repository, tmp_path, encoding):
    path = tmp_path / "π.ipynb"
    path.write_text(UNCLEAN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "tools/notebook.py", "clean", "--check", str(path)],
        cwd=repository,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding=encoding,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert r"\u03c0.ipynb is not clean" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_the_package_says_by_itself_speaks_to_every_terminal(monkeypatch, encoding):
    """As a message that names a folder does where nobody prepared the terminal."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    terminal.say("Downloading to /数/π/\udc80")
    written = sys.stdout.buffer.getvalue().decode(encoding)
    assert written == {"utf-8": "Downloading to /数/π/?\n"}.get(
        encoding, "Downloading to /?/pi/?\n"
    )


def test_what_is_said_aside_is_no_part_of_the_output(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    terminal.say("± π", aside=True)
    assert sys.stderr.buffer.getvalue() == b"+/- pi\n"
    assert capsys.readouterr().out == ""


def test_no_message_and_no_bar_needs_an_output(monkeypatch):
    """Windows gives none to programs without a window; a closed one is none."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    terminal.say("nobody hears it")
    for bar in (progress_bar(3, 0, "training", True), _bar("file", 3)):
        with bar:
            bar.update(3)


class Window(io.TextIOWrapper):
    """A terminal that somebody looks at."""

    def isatty(self):
        return True


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_bar_fits_every_terminal(monkeypatch, encoding):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", Window(io.BytesIO(), encoding=encoding))
    bars = progress_bar(3, 0, "training", True), _bar("train-images-idx3-ubyte.gz", 3)
    for bar in bars:
        with bar:
            bar.update(3)
            bar.refresh()
    sys.stdout.flush()
    assert b"training" in sys.stdout.buffer.getvalue()


POOR = """
import json, sys
from vaecourse.__main__ import main
def code(command):
    try:
        return main(command)
    except SystemExit as stopped:
        return stopped.code
print(json.dumps([code(command) for command in json.loads(sys.argv[1])]), file=sys.stderr)
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_command_needs_a_rich_terminal(repository, tmp_path, encoding):
    """Twenty columns, no colors, a C locale, a home that may not be written, help and refusals."""
    names = ["train", "evaluate", "experiments", "doctor", "exercises"]
    helps = [["--help"], *([name, "--help"] for name in names), ["exercises", "check", "--help"]]
    lost = str(tmp_path / "é✓")
    refused = [["nonsense"], ["exercises", "check", lost], ["evaluate", lost], ["exercises"]]
    refused += [["train", "vae", lost, "--data", lost], ["experiments", "é✓"]]
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    commands = [*helps, ["exercises", "list"], ["exercises", "progress"], ["doctor"], *refused]
    environment = os.environ | {"PYTHONPATH": str(repository), "PYTHONIOENCODING": encoding}
    environment |= {"COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1", "LC_ALL": "C"}
    environment |= {"HOME": str(home), "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", POOR, json.dumps(commands)],
        env=environment,
        capture_output=True,
        encoding=encoding,
    )
    assert "Traceback" not in done.stderr
    codes = json.loads(done.stderr.splitlines()[-1])
    assert codes == [0] * (len(helps) + 3) + [2, 2, 1, 2, 2, 2], done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full device")
def test_a_full_disk_is_one_line(monkeypatch, capsys):
    with open("/dev/full", "w", encoding="utf-8") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main(["exercises", "list"]) == 1
    words = capsys.readouterr().err
    assert words.startswith("vaecourse: ") and words.count("\n") == 1


def test_a_closed_output_is_no_fault(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["exercises", "list"]) == 0


def test_another_broken_pipe_is_told(monkeypatch, capsys):
    def lose_a_worker(_options):
        raise BrokenPipeError(32, "a worker is gone")

    monkeypatch.setattr("vaecourse.doctor.run", lose_a_worker)
    assert __main__.main(["doctor"]) == 1
    assert "a worker is gone" in capsys.readouterr().err


HOMELESS = """
import json, pwd, sys
def unknown(_number): raise KeyError("no such user")
pwd.getpwuid = unknown
from vaecourse.__main__ import main
print(json.dumps([main(command) for command in json.loads(sys.argv[1])]), file=sys.stderr)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows the home without being told")
@pytest.mark.parametrize("home", [None, "a file"])
def test_no_command_needs_a_home(repository, tmp_path, commands, home):
    gone = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    gone += ("VAECOURSE_CACHE", "VAECOURSE_DATA", "VAECOURSE_PROGRESS")
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    (tmp_path / "a file").write_text("", encoding="utf-8")
    if home is not None:
        environment["HOME"] = str(tmp_path / home)
    environment |= {"PYTHONPATH": str(repository), "MPLCONFIGDIR": str(tmp_path), "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", HOMELESS, json.dumps(commands)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr
    codes = json.loads(done.stderr.splitlines()[-1])
    assert codes == [1 if "check" in command else 0 for command in commands], done.stderr
    assert "name a folder in VAECOURSE_CACHE" in done.stderr
    assert "name a file in VAECOURSE_PROGRESS" in done.stderr
    assert not (tmp_path / "~").exists()
