"""What the tests of vaecourse.data share: files in every layout, a private cache, no network."""

import gzip
import io
import socket
import struct

import numpy as np

from vaecourse import data
from vaecourse.data.sources import SOURCES

IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
# Every set whose files lie as those of MNIST, and its folder, which is torchvision's name of it.
IDX_FOLDERS = {
    name: layout.folder.removesuffix("/raw")
    for name, source in SOURCES.items()
    for layout in source.layouts
    if layout.kind == "idx"
}


def isolate(monkeypatch, folder):
    """Give the test a cache of its own and a network whose names do not resolve."""

    def no_address(*_args, **_kwargs):
        raise socket.gaierror("no network in this test")

    for variable in ("VAECOURSE_DATA", "VAECOURSE_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VAECOURSE_CACHE", str(folder / "cache"))
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    monkeypatch.setattr(data, "_not_had", {})


def few_strokes(monkeypatch):
    """Stand random images in for the drawn ones; return the list of folders they go to."""
    folders = []

    def load_arrays(root):
        folders.append(root)
        return arrays(seed=7)

    monkeypatch.setattr(data.strokes, "load_arrays", load_arrays)
    return folders


def arrays(event=(28, 28), num_train=60, num_test=20, seed=0):
    rng = np.random.default_rng(seed)
    made = {}
    for part, num in (("train", num_train), ("test", num_test)):
        made[f"x_{part}"] = rng.integers(256, size=(num, *event), dtype=np.uint8)
        made[f"y_{part}"] = (np.arange(num) % 10).astype(np.uint8)
    return made


def idx(array):
    """Return the content of an IDX file of uint8 values."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def write_idx(folder, made, zipped=True, name="MNIST"):
    """Write the four files of MNIST as torchvision lays them and return their paths."""
    raw = folder / name / "raw"
    raw.mkdir(parents=True)
    paths = {}
    for key, file in IDX_NAMES.items():
        content = idx(made[key])
        paths[key] = raw / (f"{file}.gz" if zipped else file)
        paths[key].write_bytes(gzip.compress(content, 1) if zipped else content)
    return paths


def npz(made):
    """Return the content of an npz file."""
    file = io.BytesIO()
    np.savez(file, **made)
    return file.getvalue()
