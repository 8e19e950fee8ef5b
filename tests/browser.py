"""A browser for the checks of the built pages."""

import shutil
from contextlib import contextmanager

from vaecourse.doctor import BROWSERS

HOW_TO_GET_ONE = (
    "no Chromium or Chrome on PATH, so the built pages are not checked; "
    "get one with `apt-get install chromium`, `brew install --cask chromium`, or from your system"
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable():
    """Return the path of a browser, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


@contextmanager
def chromium():
    """Run a headless browser for the time of a ``with`` block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=QUIET)
        try:
            yield browser
        finally:
            browser.close()
