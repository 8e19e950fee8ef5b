"""Image files in a folder or a zip file: which there are, and their pixels, by Pillow.

A zip file is never unpacked: its members are read in memory, one at a time.
"""

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from vaecourse.data.storage import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ENDINGS", "Header", "ImageFile", "fitted_to", "header", "image_files", "pixels"]

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
# Pillow knows more, among them formats that it hands to other programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MOST_MEMBER_BYTES = 2**29
_GREY = {"1", "L", "LA", "La", "I", "F"}


class ImageFile(NamedTuple):
    """A file that should hold an image.

    Attributes
    ----------
    name : str
        What a message calls it.
    label : str
        The folder directly below the top that it lies in; empty for a file at the top.
    stream : callable
        Opens the file for reading.
    """

    name: str
    label: str
    stream: Callable[[], IO[bytes]]


class Header(NamedTuple):
    """What a file says of its image before the pixels are read.

    Attributes
    ----------
    height, width : int
        Its size as it is to be looked at.
    color : bool
        Whether it is stored with color.
    """

    height: int
    width: int
    color: bool


@contextmanager
def image_files(path: Path) -> Iterator[list[ImageFile]]:
    """List the image files in a folder or zip file, sorted by path; they can be opened within.

    Files and folders whose name begins with a point are no images, nor is what macOS adds to zip
    files. Where everything in a zip file lies in one folder, that folder is the top.

    Raises
    ------
    DataError
        If there are none, or the zip file is damaged or holds what no image folder holds.
    """
    if path.is_dir():
        yield _sorted(path, _in_folder(path))
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as a zip file ({error}): zip it anew") from error
    with archive:
        yield _sorted(path, _in_zip(path, archive))


def _sorted(path: Path, found: dict[tuple[str, ...], ImageFile]) -> list[ImageFile]:
    if not found:
        raise DataError(f"{path} holds no images: put files there that end in {', '.join(ENDINGS)}")
    return [found[parts] for parts in sorted(found)]


def _in_folder(path: Path) -> dict[tuple[str, ...], ImageFile]:
    found = {}
    for place in path.rglob("*"):
        parts = place.relative_to(path).parts
        if _is_image(parts) and place.is_file():
            found[parts] = ImageFile(str(place), _label(parts), partial(_on_disk, place))
    return found


def _in_zip(path: Path, archive: zipfile.ZipFile) -> dict[tuple[str, ...], ImageFile]:
    members = {}
    for info in archive.infolist():
        parts = PurePosixPath(info.filename).parts
        if ".." in parts or "/" in parts:
            raise DataError(f"{path} names a file outside of it, {info.filename}: zip it anew")
        if not info.is_dir() and _is_image(parts):
            members[parts] = info
    tops = {parts[0] if len(parts) > 1 else "" for parts in members}
    skipped = int(len(tops) == 1 and tops != {""})
    found = {}
    for parts, info in members.items():
        name, parts = f"{path}: {info.filename}", parts[skipped:]
        found[parts] = ImageFile(name, _label(parts), partial(_in_memory, archive, info, name))
    return found


def _on_disk(place: Path) -> IO[bytes]:
    return place.open("rb")


def _in_memory(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> IO[bytes]:
    if info.file_size > _MOST_MEMBER_BYTES:
        raise DataError(
            f"{name} unpacks to {info.file_size / 1e9:.3g} GB, more than the "
            f"{_MOST_MEMBER_BYTES / 1e9:.2g} GB that one image may take: leave it out"
        )
    return io.BytesIO(archive.read(info))


def _label(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) > 1 else ""


def _is_image(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and parts[-1].lower().endswith(ENDINGS)


@contextmanager
def _opened(file: ImageFile) -> "Iterator[Image]":
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of images that it refuses only at twice the size.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with file.stream() as stream, Image.open(stream, formats=_FORMATS) as image:
                yield image
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"{file.name} is too large ({error}): make it smaller") from error
    except Exception as error:  # of a damaged file, decoders raise whatever they trip over
        raise DataError(
            f"{file.name} cannot be read as an image ({error}): replace or remove it"
        ) from error


def header(file: ImageFile) -> Header:
    """Return what a file says of its image.

    Raises
    ------
    DataError
        If the file cannot be read, or its image is so large that Pillow refuses it.
    """
    from PIL import ImageOps

    with _opened(file) as image:
        width, height = image.size
        lying = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        if lying and image.format == "TIFF":
            # Versions of Pillow differ in the size that they tell before the pixels are there.
            width, height = ImageOps.exif_transpose(image).size
        elif lying:
            width, height = height, width
        grey = image.mode in _GREY or image.mode.startswith("I;16")
        return Header(height, width, not grey)


def pixels(file: ImageFile, size: tuple[int, int] | None, channels: int) -> np.ndarray:
    """Return the image in a file, upright, on white, at a size.

    Parameters
    ----------
    file : ImageFile
    size : tuple of int, optional
        Height and width.
    channels : {1, 3}

    Returns
    -------
    numpy.ndarray, shape (channels, height, width), float32
        Values in [0, 1].

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    from PIL import ImageOps

    with _opened(file) as image:
        plain = _plain(ImageOps.exif_transpose(image), channels)
        fitted = plain if size is None else fitted_to(plain, size)
        array = np.asarray(fitted, np.float32)
        array = array if fitted.mode == "F" else array / np.float32(255)
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return np.broadcast_to(array, (channels, *array.shape[1:]))


def fitted_to(image: "Image", size: tuple[int, int]) -> "Image":
    """Crop the middle of the image to the aspect of a height and width, and resize it."""
    from PIL.Image import Resampling

    height, width = size
    across = min(image.width, max(1, round(image.height * width / height)))
    down = min(image.height, max(1, round(image.width * height / width)))
    left, top = (image.width - across) // 2, (image.height - down) // 2
    middle = image.crop((left, top, left + across, top + down))
    # The weights of this filter are positive, so that no value leaves [0, 1].
    return middle.resize((width, height), Resampling.BILINEAR)


def _plain(image: "Image", channels: int) -> "Image":
    """Return the image in mode L or RGB, or F with values in [0, 1] where it has more levels."""
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.float32)
        levels = levels if image.mode == "F" else levels / np.float32(65535)
        if not (levels.min() >= 0 and levels.max() <= 1):
            top = 1 if image.mode == "F" else 65535
            raise ValueError(f"its values do not lie in [0, {top}]")
        return Image.fromarray(levels)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if channels == 1 else "RGB")
