"""Downloads that cannot stall: a probe with a deadline, and transfers checked by their SHA-256."""

import hashlib
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, build_opener

from tqdm import tqdm

from vaecourse.data.sources import File
from vaecourse.runtime import machine

STALL_SECONDS = 20.0
_CHUNK = 1 << 16


class DownloadError(RuntimeError):
    """A download is not possible or went wrong."""


def first_answer(urls: Sequence[str], deadline: float) -> str:
    """Return the first of the addresses whose server answers that it has the file.

    Every address is asked at once, each from a thread of its own, through the proxies of the
    environment. A name server that hangs holds up its thread, never the caller.

    Parameters
    ----------
    urls : sequence of str
    deadline : float
        Seconds after which no answer counts.

    Raises
    ------
    DownloadError
        If no address answers before the deadline.
    """
    answers: queue.SimpleQueue = queue.SimpleQueue()
    for url in urls:
        threading.Thread(target=_ask, args=(url, deadline, answers), daemon=True).start()
    end = time.monotonic() + deadline
    for _ in urls:
        try:
            url, works = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        if works:
            return url
    raise DownloadError("the network does not answer")


def _ask(url: str, timeout: float, answers: queue.SimpleQueue) -> None:
    try:
        with _open(url, timeout, "HEAD"):
            answers.put((url, True))
    except (OSError, HTTPException, ValueError):
        answers.put((url, False))


@contextmanager
def temporary_folder(folder: Path, name: str, size: int) -> Iterator[Path]:
    """Lend a folder below `folder` for a download; remove what killed ones of `name` left there.

    Only one process at a time may download `name`: hold its lock.

    Parameters
    ----------
    folder : Path
        Where data lie; it need not exist.
    name : str
        Name of the data set.
    size : int
        Bytes that will be written.

    Raises
    ------
    DownloadError
        If the disk has fewer bytes left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f".download-{name}-"
    for left in folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    free = machine.free_disk(folder)
    if free is not None and free < size:
        raise DownloadError(
            f"the disk of {folder} has {free / 1e6:.0f} MB left and {size / 1e6:.0f} MB are needed"
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=prefix) as temporary:
        yield Path(temporary)


def fetch(mirror: str, file: File, folder: Path) -> None:
    """Download one file into a folder, with a progress bar on standard output, and verify it.

    It is written as the bytes arrive: hand over a temporary folder.

    Raises
    ------
    DownloadError
        If the transfer fails, stalls for 20 seconds, is longer than the file, or differs from a
        checksum.
    """
    url, target = mirror + file.name, folder / file.name
    wanted = {"MD5": file.md5, "SHA-256": file.sha256}
    left = file.size
    digests = {
        "MD5": hashlib.md5(usedforsecurity=False),
        "SHA-256": hashlib.sha256(),
    }
    try:
        with (
            _open(url, STALL_SECONDS) as response,
            target.open("wb") as stored,
            _bar(target.name, response.length) as bar,
        ):
            while chunk := response.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise DownloadError(
                        f"the download of {url} is longer than the {file.size} bytes of the file"
                    )
                stored.write(chunk)
                for digest in digests.values():
                    digest.update(chunk)
                bar.update(len(chunk))
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(f"the download of {url} failed ({error})") from error
    for name, digest in digests.items():
        if digest.hexdigest() != wanted[name]:
            raise DownloadError(
                f"the download of {url} has {name} {digest.hexdigest()}, {wanted[name]} is wanted"
            )


def _bar(name: str, total: int | None) -> tqdm:
    # Standard error stays empty: the book's build takes anything written there for a failure.
    return tqdm(
        desc=name,
        total=total,
        unit="B",
        unit_scale=True,
        file=sys.stdout,
        disable=sys.stdout is None,
        leave=False,
        mininterval=0.5,
    )


def _open(url: str, timeout: float, method: str = "GET") -> Any:
    request = Request(url, headers={"User-Agent": "vaecourse"}, method=method)
    # A new opener each time: urlopen would keep the proxies of its first call.
    return build_opener().open(request, timeout=timeout)
