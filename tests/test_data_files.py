"""Files of MNIST in every layout, sound and broken."""

import gzip
import io
import os
import re
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import data_files
import numpy as np
import pytest
import torch

from vaecourse import data
from vaecourse.data import formats


@pytest.fixture(autouse=True)
def always_private(private):
    """Use the fixture in every test."""


def assert_holds(split, made):
    x, y = torch.cat([split.train.x, split.valid.x]), torch.cat([split.train.y, split.valid.y])
    expected = made["x_train"].astype(np.float64)[:, None] / 255
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-7)
    np.testing.assert_array_equal(y.numpy(), made["y_train"])
    np.testing.assert_allclose(split.test.x.numpy()[:, 0], made["x_test"] / 255, rtol=1e-7)
    np.testing.assert_array_equal(split.test.y.numpy(), made["y_test"])


@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "plain"])
def test_idx_files_give_their_content(tmp_path, zipped):
    made = data_files.arrays()
    data_files.write_idx(tmp_path, made, zipped)
    split = data.load("mnist", root=tmp_path)
    assert split.name == "mnist" and split.note == ""
    assert_holds(split, made)


@pytest.mark.parametrize("name", data_files.IDX_FOLDERS)
def test_a_set_lies_in_a_folder_of_its_own(tmp_path, name):
    made = data_files.arrays()
    data_files.write_idx(tmp_path, made, name=data_files.IDX_FOLDERS[name])
    assert_holds(data.load(name, root=tmp_path), made)
    for other in data_files.IDX_FOLDERS.keys() - {name}:
        assert data.identity(other, root=tmp_path) == "absent"


def test_gz_plain_and_npz_of_one_content_have_one_identity(tmp_path):
    made = data_files.arrays()
    data_files.write_idx(tmp_path / "gz", made, True)
    data_files.write_idx(tmp_path / "plain", made, False)
    (tmp_path / "npz").mkdir()
    np.savez_compressed(tmp_path / "npz" / "mnist.npz", **made)
    loaded = [data.load("mnist", root=tmp_path / kind) for kind in ("gz", "plain", "npz")]
    for split in loaded:
        assert_holds(split, made)
    cheap = [data.identity("mnist", root=tmp_path / kind) for kind in ("gz", "plain", "npz")]
    assert {split.identity for split in loaded} == set(cheap) and len(set(cheap)) == 1


@pytest.mark.parametrize("key", ["x_train", "y_train", "x_test", "y_test"])
def test_any_changed_value_changes_the_identity(tmp_path, key):
    made = data_files.arrays()
    before = data_files.arrays()
    made[key].flat[-1] = (made[key].flat[-1] + 1) % 10
    data_files.write_idx(tmp_path / "a", before)
    data_files.write_idx(tmp_path / "b", made)
    a, b = (data.identity("mnist", root=tmp_path / name) for name in "ab")
    assert a != b


def test_the_given_folder_wins_over_the_environment_and_that_over_the_cache(tmp_path, monkeypatch):
    made = {name: data_files.arrays(seed=seed) for seed, name in enumerate(("root", "env", "own"))}
    places = {"root": tmp_path / "r", "env": tmp_path / "e", "own": tmp_path / "cache" / "data"}
    for name, place in places.items():
        data_files.write_idx(place, made[name])
    monkeypatch.setenv("VAECOURSE_DATA", str(places["env"]))
    assert_holds(data.load("mnist", root=places["root"]), made["root"])
    assert_holds(data.load("mnist"), made["env"])
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "nowhere"))
    assert_holds(data.load("mnist"), made["own"])


def corrupt(path, change):
    content = path.read_bytes()
    zipped = path.suffix == ".gz"
    changed = change(gzip.decompress(content) if zipped else content)
    path.write_bytes(gzip.compress(changed) if zipped else changed)


BROKEN = {
    "magic": ("x_train", lambda b: b[:2] + b"\x0d" + b[3:], "magic number 0x00000d03, 0x00000803"),
    "labels for images": ("x_test", lambda b: data_files.idx(np.zeros(20, np.uint8)), "0x00000801"),
    "header": ("y_train", lambda b: b[:5], "5 bytes, fewer than its 8-byte header"),
    "empty": ("y_train", lambda b: b"", "0 bytes"),
    "short": ("x_train", lambda b: b[:-1], "47039 values, its header promises 47040"),
    "long": ("y_test", lambda b: b + b"\0", "more than 20 values, its header promises 20"),
    "size": (
        "x_train",
        lambda b: data_files.idx(np.zeros((60, 27, 28), np.uint8)),
        r"shape \(27, 28\), \(28, 28\) is wanted",
    ),
    "absurd": (
        "x_train",
        lambda b: b[:4] + b"\xff" * 4 + b[8:],
        "announces 3367254359280 values",
    ),
    "label": ("y_test", lambda b: b[:-1] + b"\xff", "a label 255, labels from 0 to 9"),
    "count": (
        "y_train",
        lambda b: data_files.idx(np.zeros(59, np.uint8)),
        "60 images but 59 labels",
    ),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_idx_file_is_named_and_nothing_is_touched(tmp_path, case, zipped):
    key, change, words = BROKEN[case]
    paths = data_files.write_idx(tmp_path, data_files.arrays(), zipped)
    corrupt(paths[key], change)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for offline in (None, "strokes"):  # a broken file is never covered up by strokes
        with pytest.raises(data.DataError, match=words) as caught:
            data.load("mnist", root=tmp_path, offline=offline)
        assert paths[key].name in str(caught.value)
        assert "Put an intact copy in its place" in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def unpacked(call):
    """Return what a call raises, and how many bytes Python held at most meanwhile."""
    tracemalloc.start()
    try:
        with pytest.raises(data.DataError) as caught:
            call()
        return str(caught.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MUCH = 2**26


@pytest.mark.parametrize("kind", ["pixels", "labels"])
def test_a_gzip_bomb_is_left_at_the_size_that_its_header_promises(tmp_path, kind):
    event = (28, 28) if kind == "pixels" else ()
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(data_files.idx(np.zeros((2, *event), np.uint8)) + bytes(MUCH)))
    words, held = unpacked(lambda: formats.read_idx(path, event))
    assert "holds more than" in words and str(path) in words
    assert held < MUCH / 4


@pytest.mark.parametrize("reader", [formats.read_cifar_binary, formats.read_cifar_python])
def test_a_gzip_bomb_without_a_header_is_left_at_the_most_that_is_read(
    tmp_path, monkeypatch, reader
):
    monkeypatch.setattr(formats, "MOST_VALUES", 2**20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(MUCH)))
    words, held = unpacked(lambda: reader(path))
    assert "bomb.gz holds more than 0.00104858 GB" in words
    assert held < MUCH / 4


def announced(shape, descr="|u1"):
    """Return the beginning of an array that announces a shape."""
    content = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue()


ABSURD = {
    "a shape": (announced((10**6, 28, 28, 2000)), "would take 6.27e\\+03 GB as float32"),
    "a type": (announced((6,), "<U400000000"), "would take 9.6 GB: keep fewer"),
    "no such size": (announced((60, 28, 28)) + bytes(9), "another size than its header says"),
    "less than nothing": (announced((-1, 28, 28)), "another size than its header says"),
    "a header without end": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(MUCH), "EOF"),
}


@pytest.mark.parametrize("case", ABSURD)
@pytest.mark.parametrize("key", ["x_train", "y_test"])
def test_an_array_that_announces_too_much_is_not_made_room_for(tmp_path, case, key):
    content, words = ABSURD[case]
    path = tmp_path / "mnist.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in data_files.arrays().items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array) if name != key else file.write(content)
    said, held = unpacked(lambda: formats.read_npz(path, (28, 28)))
    assert re.search(words, said) and str(path) in said
    assert held < MUCH / 4


def test_a_gz_file_cut_anywhere_is_refused(tmp_path):
    path = data_files.write_idx(tmp_path, data_files.arrays())["y_train"]
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(data.DataError, match=path.name):
            formats.read_idx(path, ())


def flips(content, num, seed=0):
    rng = np.random.default_rng(seed)
    for position in rng.integers(len(content), size=num):
        changed = bytearray(content)
        changed[position] ^= 1 << rng.integers(8)
        yield bytes(changed)


def test_a_gz_file_with_a_flipped_bit_is_refused_or_unharmed(tmp_path):
    made = data_files.arrays()
    path = data_files.write_idx(tmp_path, made)["x_test"]
    refused = 0
    for changed in flips(path.read_bytes(), 200):
        path.write_bytes(changed)
        try:
            np.testing.assert_array_equal(formats.read_idx(path, (28, 28)), made["x_test"])
        except data.DataError:
            refused += 1
    assert refused > 150


def test_an_npz_file_with_a_flipped_bit_is_refused_or_unharmed(tmp_path):
    made = data_files.arrays(num_train=6, num_test=1)
    path = tmp_path / "mnist.npz"
    refused = 0
    for changed in flips(data_files.npz(made), 400):
        path.write_bytes(changed)
        try:
            read = formats.read_npz(path, (28, 28))
            assert all(np.array_equal(read[key], made[key]) for key in made)
        except data.DataError:
            refused += 1
    assert refused > 250


def test_a_text_page_in_place_of_a_gz_file(tmp_path):
    path = data_files.write_idx(tmp_path, data_files.arrays())["x_test"]
    path.write_text("<html>404</html>", encoding="utf-8")
    with pytest.raises(data.DataError, match=r"t10k-images-idx3-ubyte.gz is truncated or corrupt"):
        data.load("mnist", root=tmp_path)


def test_an_incomplete_set_names_the_missing_file(tmp_path):
    data_files.write_idx(tmp_path, data_files.arrays())["y_test"].unlink()
    with pytest.raises(data.DataError, match=r"incomplete: t10k-labels-idx1-ubyte \(or") as caught:
        data.load("mnist", root=tmp_path, offline="strokes")
    assert str(tmp_path / "MNIST" / "raw") in str(caught.value)


def test_a_folder_in_place_of_a_file(tmp_path):
    path = data_files.write_idx(tmp_path, data_files.arrays(), False)["x_train"]
    path.unlink()
    path.mkdir()
    with pytest.raises(data.DataError, match="train-images-idx3-ubyte is a folder"):
        data.load("mnist", root=tmp_path)


def test_too_few_images_to_split(tmp_path):
    data_files.write_idx(tmp_path, data_files.arrays(num_train=5))
    with pytest.raises(data.DataError, match="5 images, at least 6 are wanted"):
        data.load("mnist", root=tmp_path)


@pytest.fixture
def plain_user_folder():
    """Yield a folder that every user can reach; drop root's right to read anything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.name != "posix":
            pytest.skip("file permissions are tested on POSIX systems")
        root = os.geteuid() == 0
        yield folder, lambda: os.seteuid(65534) if root else None
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.parametrize("layout", ["gz", "plain", "npz"])
def test_an_unreadable_file_is_named(plain_user_folder, layout):
    folder, become_plain_user = plain_user_folder
    if layout == "npz":
        path = folder / "mnist.npz"
        path.write_bytes(data_files.npz(data_files.arrays()))
    else:
        path = data_files.write_idx(folder, data_files.arrays(), layout == "gz")["x_train"]
    path.chmod(0)
    become_plain_user()
    with pytest.raises(data.DataError, match=r"cannot be read .*Permission denied") as caught:
        data.load("mnist", root=folder, offline="strokes")
    assert str(path) in str(caught.value)


def test_an_unreadable_folder_is_named(plain_user_folder):
    folder, become_plain_user = plain_user_folder
    data_files.write_idx(folder, data_files.arrays())
    folder.chmod(0)
    become_plain_user()
    with pytest.raises(data.DataError, match=r"cannot be read .*Permission denied"):
        data.load("mnist", root=folder, offline="strokes")


def without(key):
    return {name: array for name, array in data_files.arrays().items() if name != key}


def with_(**changes):
    return data_files.npz(data_files.arrays() | changes)


BAD_NPZ = {
    "a missing array": (data_files.npz(without("y_test")), "lacks y_test; it must hold x_train"),
    "a wrong shape": (
        with_(x_train=np.zeros((60, 27, 28), np.uint8)),
        r"x_train of shape \(60, 27, 28\), \(N, 28, 28\) is wanted",
    ),
    "a scalar": (with_(x_test=np.uint8(3)), r"x_test of shape \(\), \(N, 28, 28\) is wanted"),
    "objects": (with_(y_train=np.array([None] * 60)), "not a readable npz file of plain arrays"),
    "floats": (with_(x_test=np.zeros((20, 28, 28))), "x_test of type float64, uint8 is wanted"),
    "float labels": (with_(y_test=np.zeros(20)), "labels of type float64"),
    "one-hot labels": (with_(y_test=np.eye(20, dtype=int)), r"shape \(20, 20\), \(N,\) integers"),
    "a negative label": (with_(y_test=np.full(20, -1)), "a label -1, labels from 0 to 9"),
    "other counts": (with_(y_test=np.zeros(19, int)), "20 images but 19 labels"),
    "no zip": (b"not a zip archive", "not a readable npz file"),
    "a truncated file": (data_files.npz(data_files.arrays())[:-30], "not a readable npz file"),
    "an empty file": (b"", "not a readable npz file"),
}


@pytest.mark.parametrize("case", BAD_NPZ)
def test_a_broken_npz_file_is_named(tmp_path, case):
    content, words = BAD_NPZ[case]
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=words) as caught:
        data.load("mnist", root=tmp_path, offline="strokes")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_a_folder_named_like_an_npz_file(tmp_path):
    (tmp_path / "mnist.npz").mkdir()
    with pytest.raises(data.DataError, match=r"mnist.npz is a folder"):
        data.load("mnist", root=tmp_path)
