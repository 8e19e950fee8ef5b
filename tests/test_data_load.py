"""What `load` returns for every data set, and the layouts of CIFAR-10."""

import hashlib
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import data_files
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from vaecourse import data
from vaecourse.data import sources, strokes

REAL = os.environ.get("VAECOURSE_DATA", "")
REAL_MNIST = Path(REAL) / "MNIST" / "raw"


def test_splits_are_consecutive_and_typed(private, tmp_path):
    made = data_files.arrays(num_train=65, num_test=20)
    data_files.write_idx(tmp_path, made)
    split = data.load("mnist", root=tmp_path)
    assert split.train.y.tolist() == made["y_train"][:55].tolist()
    assert split.valid.y.tolist() == made["y_train"][55:].tolist()
    assert type(split.train) is type(split.valid) is data.Batch
    assert type(split.test) is data.HeldOut and not isinstance(split.test, data.Batch | tuple)
    for part in (split.train, split.valid, split.test):
        assert part.x.dtype == torch.float32 and part.y.dtype == torch.int64
        assert part.x.shape == (len(part.y), 1, 28, 28)
    assert repr(split) == "Split('mnist', train 55, valid 10, test 20, event (1, 28, 28))"
    with pytest.raises(AttributeError):
        split.name = "other"
    with pytest.raises(AttributeError):
        split.test.x = split.train.x


def test_pixels_equal_those_of_torchvision(private, tmp_path):
    datasets = pytest.importorskip("torchvision.datasets")
    data_files.write_idx(tmp_path, data_files.arrays(), zipped=False)
    split = data.load("mnist", root=tmp_path)
    peer = datasets.MNIST(tmp_path, train=False)
    assert torch.equal(split.test.x[:, 0], peer.data.float() / 255)
    assert torch.equal(split.test.y, peer.targets)


def test_digits_are_those_of_scikit_learn():
    split, digits = data.load("digits"), load_digits()
    x = torch.cat([split.train.x, split.valid.x, split.test.x])
    y = torch.cat([split.train.y, split.valid.y, split.test.y])
    assert x.shape == (1797, 1, 8, 8) and len(split.test.y) == 299 and len(split.valid.y) == 249
    np.testing.assert_array_equal(x.numpy()[:, 0] * 16, digits.images)
    np.testing.assert_array_equal(y.numpy(), digits.target)
    assert data.identity("digits") == split.identity


def test_strokes_are_loaded_like_mnist(private, monkeypatch):
    made = data_files.arrays(seed=7)
    monkeypatch.setattr(strokes, "load_arrays", lambda _root: made)
    split = data.load("strokes")
    assert split.name == "strokes" and split.note == ""
    assert split.identity == data.content_hash(made)
    np.testing.assert_allclose(split.test.x.numpy()[:, 0], made["x_test"] / 255, rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "minst"}, "name must be one of mnist, .*, got 'minst'"),
        ({"name": "mnist", "offline": "digits"}, 'offline must be None or "strokes", got \'digi'),
        ({"name": "cifar10", "offline": "strokes"}, "cannot stand in for cifar10"),
    ],
)
def test_unknown_names_are_refused(arguments, words):
    for function in (data.load, data.identity):
        with pytest.raises(ValueError, match=words):
            function(**arguments)


def cifar_arrays():
    return data_files.arrays((3, 32, 32), num_train=50, num_test=10)


def batches(made):
    """Yield the name, images and labels of CIFAR-10's six files."""
    for number in range(5):
        part = slice(10 * number, 10 * number + 10)
        yield f"data_batch_{number + 1}", made["x_train"][part], made["y_train"][part]
    yield "test_batch", made["x_test"], made["y_test"]


def python_batch(x, y, fortran=False):
    """Return a batch as Python 2 pickled it for CIFAR-10's authors."""

    def text(string):
        return b"U" + bytes([len(string)]) + string

    shape = b"M" + struct.pack("<H", len(y)) + b"M" + struct.pack("<H", 3072) + b"\x86"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return b"".join(
        [
            b"\x80\x02}q\x01(" + text(b"batch_label") + text(b"training batch 1 of 5"),
            text(b"labels") + b"]q\x05(" + b"".join(b"K" + bytes([k]) for k in y) + b"e",
            text(b"data") + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85",
            text(b"b") + b"\x87R(K\x01" + shape + dtype + (b"\x88" if fortran else b"\x89"),
            b"T" + struct.pack("<i", x.size) + x.tobytes() + b"tb",
            text(b"filenames") + b"](" + text(b"one.png") * len(y) + b"eu.",
        ]
    )


def binary_batch(x, y):
    return b"".join(bytes([k]) + image.tobytes() for k, image in zip(y, x, strict=True))


LAYOUTS = {
    "binary": ("cifar-10-batches-bin", ".bin", binary_batch),
    "python": ("cifar-10-batches-py", "", python_batch),
}


def write_cifar(root, made, layout):
    folder, suffix, pack = LAYOUTS[layout]
    (root / folder).mkdir(parents=True)
    for name, x, y in batches(made):
        (root / folder / f"{name}{suffix}").write_bytes(pack(x, y))
    return root / folder


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_python_batches_of_these_tests_are_true_pickles():
    made = cifar_arrays()
    content = python_batch(made["x_test"], made["y_test"])
    found = pickle.loads(content, encoding="latin1")  # noqa: S301 (made two lines above)
    np.testing.assert_array_equal(found["data"], made["x_test"].reshape(10, 3072))
    assert found["labels"] == made["y_test"].tolist()


def test_every_layout_of_cifar10_gives_the_same_content(private, tmp_path):
    made = cifar_arrays()
    for layout in LAYOUTS:
        write_cifar(tmp_path / layout, made, layout)
    for layout, axes in (("first", (0, 1, 2, 3)), ("last", (0, 2, 3, 1))):
        (tmp_path / layout).mkdir()
        turned = {k: v.transpose(axes) if v.ndim == 4 else v for k, v in made.items()}
        np.savez(tmp_path / layout / "cifar10.npz", **turned)
    for layout in (*LAYOUTS, "first", "last"):
        split = data.load("cifar10", root=tmp_path / layout)
        assert split.identity == data.content_hash(made)
        x = torch.cat([split.train.x, split.valid.x])
        assert x.is_contiguous() and x.shape == (50, 3, 32, 32)
        np.testing.assert_allclose(x.numpy(), made["x_train"] / 255, rtol=1e-7)
        np.testing.assert_array_equal(split.test.y.numpy(), made["y_test"])


def test_a_pickle_is_never_executed(private, tmp_path):
    folder = write_cifar(tmp_path, cifar_arrays(), "python")
    trap = tmp_path / "executed"
    command = f"open({str(trap)!r}, 'w').close()".encode()
    malign = b"\x80\x02cbuiltins\nexec\n(X" + struct.pack("<I", len(command)) + command + b"tR."
    with pytest.raises(TypeError):
        pickle.loads(malign + b"")["labels"]  # noqa: S301 (the trap works)
    trap.unlink()
    (folder / "data_batch_2").write_bytes(malign)
    with pytest.raises(data.DataError, match=r"data_batch_2 holds pixel strings of \[\] bytes"):
        data.load("cifar10", root=tmp_path)
    assert not trap.exists()


BROKEN_CIFAR = {
    "short binary": ("binary", lambda x, y: binary_batch(x, y)[:-1], "multiple of 3073"),
    "empty binary": ("binary", lambda x, y: b"", "holds 0 bytes"),
    "binary label": ("binary", lambda x, y: binary_batch(x, y + 1), "a label 10"),
    "short python": ("python", lambda x, y: python_batch(x, y)[:20_000], "truncated or corrupted"),
    "empty python": ("python", lambda x, y: b"", "truncated or corrupted"),
    "python label": ("python", lambda x, y: python_batch(x, y + 1), "a label 10"),
    "python counts": ("python", lambda x, y: python_batch(x[:-1], y), r"\[27648\] bytes and 10"),
    "columns first": ("python", lambda x, y: python_batch(x, y, True), "row by row"),
}


@pytest.mark.parametrize("case", BROKEN_CIFAR)
def test_a_broken_cifar10_file_is_named(private, tmp_path, case):
    layout, pack, words = BROKEN_CIFAR[case]
    made = cifar_arrays()
    folder = write_cifar(tmp_path, made, layout)
    path = folder / f"test_batch{LAYOUTS[layout][1]}"
    path.write_bytes(pack(made["x_test"], made["y_test"]))
    with pytest.raises(data.DataError, match=words) as caught:
        data.load("cifar10", root=tmp_path)
    assert str(path) in str(caught.value)


def test_identity_of_files_imports_nothing_heavy(tmp_path):
    data_files.write_idx(tmp_path, data_files.arrays())
    code = (
        "import sys; from vaecourse import data; data.identity('mnist'); data.identity('strokes'); "
        "print({'torchvision', 'sklearn', 'matplotlib'} & set(sys.modules) or 'light')"
    )
    environment = os.environ | {"VAECOURSE_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == "light\n"


@pytest.mark.skipif(not REAL_MNIST.is_dir(), reason="VAECOURSE_DATA names no folder with MNIST")
def test_the_real_mnist():
    for file in sources.SOURCES["mnist"].files:
        path = REAL_MNIST / file.name
        if path.exists():
            content = path.read_bytes()
            assert hashlib.md5(content, usedforsecurity=False).hexdigest() == file.md5
            assert hashlib.sha256(content).hexdigest() == file.sha256
    split = data.load("mnist")
    assert [len(part.y) for part in (split.train, split.valid, split.test)] == [50000, 10000, 10000]
    y = torch.cat([split.train.y, split.valid.y])
    published = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert torch.bincount(y).tolist() == published
    tests = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert torch.bincount(split.test.y).tolist() == tests
    x = torch.cat([split.train.x, split.valid.x])
    assert float(x.min()) == 0 and float(x.max()) == 1
    assert abs(float(x.double().mean()) - 0.1307) < 5e-5  # the constants of every MNIST tutorial
    assert abs(float(x.double().std()) - 0.3081) < 5e-5
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.identity("mnist") == split.identity
