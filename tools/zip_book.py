"""Put the built book into one zip, which opens from disk: unpack it and open index.html.

python tools/zip_book.py
"""

import os
import sys
import zipfile

from contents import ROOT
from speak import on_any_terminal

HTML = ROOT / "_build" / "html"
NAME = "vaecourse-book"


def zip_book(html, path):
    """Write a folder of pages to ``path``, whole or not at all; return the number of files."""
    if not (html / "index.html").exists():
        raise SystemExit(f"zip: no book in {html}; run `make book` first")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    files = sorted(file for file in html.rglob("*") if file.is_file())
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                if file.name != ".buildinfo":
                    archive.write(file, f"{NAME}/{file.relative_to(html).as_posix()}")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return len(files)


def main():
    """Write the zip and say where it is."""
    path = ROOT / "dist" / f"{NAME}.zip"
    count = zip_book(HTML, path)
    print(f"zip: {count} files, {path.stat().st_size / 1e6:.1f} MB in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
