"""Pack the chapters into what is built. Everything else stands in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

PACK = Path(__file__).parent / "tools" / "pack.py"


def pack(folder: Path) -> None:
    """Write chapters and results; a source distribution has no such tool, and carries them."""
    if PACK.exists():
        subprocess.run([sys.executable, PACK, folder / "vaecourse"], check=True)


class BuildWithChapters(build_py):
    """What goes into a wheel."""

    def run(self) -> None:
        """Copy the package, then add what is packed; an editable install shows the working copy."""
        super().run()
        if not self.editable_mode:
            pack(Path(self.build_lib))


class SourceWithChapters(sdist):
    """What goes into a source distribution."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the sources, then add what is packed."""
        super().make_release_tree(base_dir, files)
        pack(Path(base_dir))


setup(cmdclass={"build_py": BuildWithChapters, "sdist": SourceWithChapters})
