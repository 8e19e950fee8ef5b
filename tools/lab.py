"""Open JupyterLab on the chapters, with kernels in the environment that opens it.

    python tools/lab.py            reading copies, in lab/: a copy that you change stays as it is
    python tools/lab.py --sources  the sources of the book, for whoever writes it

What else follows is passed on to JupyterLab.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTENSIONS = ROOT / "tools/labextensions"


def write_copies(folder):
    """Bring the reading copies up to date, and say which are the reader's own."""
    import reading

    try:
        changed = reading.write(folder)
    except (OSError, ValueError, KeyError) as error:
        hint = "`make lab SOURCES=1` opens the sources of the chapters"
        raise SystemExit(f"lab: the reading copies were not written ({error}); {hint}") from None
    for path in changed:
        name = path.relative_to(ROOT).as_posix()
        print(f"lab: {name} has your changes and stays; without it `make lab` writes a new one")


def main():
    """Start JupyterLab; the one kernel that it offers is this interpreter."""
    os.chdir(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", action="store_true", help="open the sources of the book")
    options, rest = parser.parse_known_args()
    try:
        from jupyterlab.labapp import main as lab
    except ImportError as error:
        raise SystemExit(f"lab: no JupyterLab here ({error}); `make env` installs it") from None
    if not options.sources:
        write_copies(ROOT / "lab")
    kernels = "--ServerApp.kernel_spec_manager_class=kernels.ThisInterpreter"
    numbers = f"--LabApp.extra_labextensions_path={EXTENSIONS}"
    return lab(["book" if options.sources else "lab", kernels, numbers, *rest])


if __name__ == "__main__":
    sys.exit(main())
