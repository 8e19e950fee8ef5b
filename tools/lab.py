"""Open JupyterLab on the chapters, with kernels in the environment that opens it.

Run it as ``python tools/lab.py``; what follows is passed on to JupyterLab.
"""

import os
import sys
from pathlib import Path


def main():
    """Start JupyterLab; the one kernel that it offers is this interpreter."""
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        from jupyterlab.labapp import main as lab
    except ImportError as error:
        raise SystemExit(f"lab: no JupyterLab here ({error}); `make env` installs it") from None
    kernels = "--ServerApp.kernel_spec_manager_class=kernels.ThisInterpreter"
    return lab(["book", kernels, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
