"""Readers of a person's own data: images, counts, and how they are split."""

import io
import json
import re
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
import torch
from PIL import Image

import vaecourse as vae
from vaecourse.__main__ import main
from vaecourse.data import from_counts, from_images, image_files, limits, split_of
from vaecourse.data.cells import observed
from vaecourse.data.storage import DataError

RED, GREEN = (255, 0, 0), (0, 255, 0)


def save(path, pixels, mode=None, **options):
    """Write one image; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **options)


def grey(value, shape=(2, 3)):
    return np.full(shape, value, np.uint8)


@pytest.fixture
def pets(tmp_path):
    """Two classes, one image nested deeper, one without a class, and files that are no images."""
    folder = tmp_path / "pets"
    save(folder / "dog" / "b.png", grey(51))
    save(folder / "dog" / "a" / "z.PNG", grey(102))
    save(folder / "cat" / "1.png", grey(255))
    save(folder / "stray.png", grey(0))
    (folder / "notes.txt").write_text("none", encoding="utf-8")
    (folder / "cat" / "._1.png").write_bytes(b"what macOS leaves")
    return folder


def zipped(folder, path, top=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, top + file.relative_to(folder).as_posix())
    return path


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_folders_are_classes_and_pixels_are_exact(pets):
    batch, classes = from_images(pets)
    assert classes == ("cat", "dog")
    assert batch.x.dtype == torch.float32 and batch.x.shape == (4, 1, 2, 3)
    assert torch.equal(batch.x[:, 0, 0, 0], torch.tensor([255, 102, 51, 0]) / 255)
    assert batch.y.tolist() == [0, 1, 1, -1] and batch.y.dtype == torch.int64


@pytest.mark.parametrize("top", ["", "pets/"])
def test_a_zip_file_is_the_folder_in_it(pets, tmp_path, top):
    batch, classes = from_images(zipped(pets, tmp_path / "some.zip", top))
    wanted = from_images(pets)
    assert classes == wanted.classes
    assert all(torch.equal(a, b) for a, b in zip(batch, wanted.batch, strict=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets", "some.zip"]


def test_images_without_folders_have_no_labels(tmp_path):
    save(tmp_path / "a.bmp", grey(1))
    batch, classes = from_images(str(tmp_path))
    assert (batch.y.tolist(), classes) == ([-1], ())


def test_each_pixel_of_a_color_image_has_its_place(tmp_path):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    save(tmp_path / "a.png", pixels)
    save(tmp_path / "b.png", grey(7))
    x = from_images(tmp_path).batch.x
    assert torch.equal(x[0], torch.from_numpy(pixels).permute(2, 0, 1) / 255)
    assert torch.equal(x[1], torch.full((3, 2, 3), 7) / 255)
    assert from_images(tmp_path, color=False).batch.x.shape == (2, 1, 2, 3)


def test_grey_images_become_color_if_asked(tmp_path):
    save(tmp_path / "a.png", grey(9))
    assert from_images(tmp_path, color=True).batch.x.shape == (1, 3, 2, 3)


@pytest.mark.parametrize("name", ["RGBA.png", "LA.png", "LA.tif"])
def test_what_is_transparent_is_white(tmp_path, name):
    image = Image.fromarray(np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8))
    save(tmp_path / name, image, name.split(".")[0])
    assert from_images(tmp_path, color=False).batch.x.flatten().tolist() == [1, 0]


def test_a_transparent_color_of_a_palette_is_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([*RED, *GREEN])
    save(tmp_path / "a.png", image, transparency=0)
    x = from_images(tmp_path).batch.x
    assert x[0, :, 0].T.tolist() == [[1, 1, 1], [0, 1, 0]]


def test_sixteen_bits_of_grey_are_kept(tmp_path):
    levels = np.array([[0, 1], [32768, 65535]], np.uint16)
    save(tmp_path / "a.png", levels)
    save(tmp_path / "b.tif", levels)
    x = from_images(tmp_path).batch.x
    wanted = torch.from_numpy(levels.astype(np.float32)) / 65535
    assert torch.equal(x, wanted.expand(2, 1, 2, 2))
    assert torch.equal(from_images(tmp_path, color=True).batch.x, wanted.expand(2, 3, 2, 2))


def test_photos_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise
    for ending in ("png", "tif"):
        save(tmp_path / f"a.{ending}", np.array([[10, 20, 30]], np.uint8), exif=exif)
    save(tmp_path / "b.png", np.array([[10], [20], [30]], np.uint8))
    x = from_images(tmp_path).batch.x
    assert x.shape == (3, 1, 3, 1)
    assert (x * 255).round().flatten().tolist() == [10, 20, 30] * 3


def test_resizing_crops_the_middle_and_averages(tmp_path):
    wide = np.zeros((4, 8), np.uint8)
    wide[:, 2:6] = np.tile([100, 200], (4, 2))
    save(tmp_path / "wide.png", wide)
    (value,) = from_images(tmp_path, size=1).batch.x.flatten()
    assert float(value) == pytest.approx(150 / 255, abs=2 / 255)
    assert from_images(tmp_path, size=(2, 6)).batch.x.shape == (1, 1, 2, 6)
    save(tmp_path / "high.png", grey(5, (9, 2)))
    assert from_images(tmp_path, size=[4, 4]).batch.x.shape == (2, 1, 4, 4)


@pytest.mark.parametrize("size", [0, -2, (4, 4, 4), 2.5, (3, 0)])
def test_a_size_that_is_none_is_refused(pets, size):
    with pytest.raises(ValueError, match="size must be"):
        from_images(pets, size=size)


def test_different_sizes_name_two_files(pets):
    save(pets / "dog" / "tall.png", grey(1, (5, 3)))
    with pytest.raises(DataError, match=r"1\.png is 2x3 .*tall\.png is 5x3: give size="):
        from_images(pets)


def test_a_broken_image_is_named(pets, tmp_path):
    save(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    (pets / "cat" / "2.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    with pytest.raises(DataError, match=r"2\.png cannot be read as an image"):
        from_images(pets, size=2)
    (pets / "cat" / "2.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2\.png cannot be read as an image"):
        from_images(pets)
    with pytest.raises(DataError, match=r"x\.zip: cat/2\.png cannot be read as an image"):
        from_images(zipped(pets, tmp_path / "x.zip"))


def test_other_programs_are_not_started_for_a_disguised_file(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(DataError, match="cannot be read as an image"):
        from_images(tmp_path)


def test_nothing_to_read_is_said(tmp_path):
    with pytest.raises(DataError, match=r"holds no images: .* \.png"):
        from_images(tmp_path)
    with pytest.raises(DataError, match="does not exist: give a folder"):
        from_images(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    with pytest.raises(DataError, match="is neither: give a folder"):
        from_images(tmp_path / "a.txt")
    (tmp_path / "a.zip").write_bytes(b"a")
    with pytest.raises(DataError, match=r"a\.zip cannot be read as a zip file"):
        from_images(tmp_path / "a.zip")


def test_a_zip_file_of_a_later_version_is_refused(pets, tmp_path):
    path = zipped(pets, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip cannot be read as a zip file"):
        from_images(path)


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "a/../../evil.png"])
def test_a_zip_file_that_points_outside_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(DataError, match="names a file outside of it"):
        from_images(tmp_path / "a.zip")


def test_an_absurd_member_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "_MOST_MEMBER_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(1001))
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with pytest.raises(DataError, match=r"a\.png unpacks to"):
        from_images(tmp_path / "a.zip")


def test_too_many_pixels_are_refused_before_they_are_read(pets, monkeypatch):
    monkeypatch.setattr("vaecourse.data.own_images.pixels", None)
    with pytest.raises(DataError, match=r"6\.4 GB as float32 .* more than the 4 GB"):
        from_images(pets, size=20000)


def test_a_decompression_bomb_is_refused(pets, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
        assert len(from_images(pets).batch.x) == 4
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)
    with pytest.raises(DataError, match=r"png is too large .*make it smaller"):
        from_images(pets)


def test_arrays_come_in_three_shapes_and_two_types(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 6, 7), np.uint8)
    wanted = torch.from_numpy(images) / 255
    for x in (images, images.transpose(0, 2, 3, 1), images / np.float32(255)):
        batch, classes = from_images(npz(tmp_path / "a.npz", x=x))
        assert torch.equal(batch.x, wanted) and batch.y.tolist() == [-1] * 5 and classes == ()
    flat = from_images(npz(tmp_path / "a.npz", x=images[:, 0])).batch.x
    assert torch.equal(flat, wanted[:, :1])
    assert from_images(tmp_path / "a.npz", color=True).batch.x.shape == (5, 3, 6, 7)
    assert from_images(tmp_path / "a.npz", size=(3, 2)).batch.x.shape == (5, 1, 3, 2)


def test_arrays_turn_grey_and_transparent_pixels_white(tmp_path):
    x = np.array([[[[255, 0, 0, 255], [9, 9, 9, 0]]] * 2], np.uint8)
    found = from_images(npz(tmp_path / "a.npz", x=x))
    assert found.batch.x[0, :, 0].T.tolist() == [[1, 0, 0], [1, 1, 1]]
    found = from_images(tmp_path / "a.npz", color=False)
    assert found.batch.x.flatten().tolist() == pytest.approx([0.299, 1] * 2)


@pytest.mark.parametrize(
    ("y", "codes", "classes"),
    [
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([2, -1, 0], [2, -1, 0], ("0", "1", "2")),
        ([1.0, np.nan, 0.0], [1, -1, 0], ("0", "1")),
    ],
)
def test_labels_of_arrays(tmp_path, y, codes, classes):
    found = from_images(npz(tmp_path / "a.npz", x=np.zeros((3, 2, 2)), y=np.array(y)))
    assert (found.batch.y.tolist(), found.classes) == (codes, classes)


X = np.zeros((3, 8, 9), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X}, "holds images: name the images x"),
        ({"x": X[0]}, r"has shape \(8, 9\), \(N, H, W\)"),
        ({"x": np.zeros((2, 5, 6, 7), np.uint8)}, "1, 3 or 4 channels"),
        ({"x": np.zeros((2, 3, 6, 3), np.uint8)}, "second or last axis may be the channels"),
        ({"x": X[:0]}, r"holds no images: x has shape \(0, 8, 9\)"),
        ({"x": X.astype(int)}, "has type int64, uint8 or float is wanted"),
        ({"x": X + 200.0}, r"floats from 200 to 200, in \[0, 1\]"),
        ({"x": X + np.nan}, "floats from nan to nan"),
        ({"x": X, "y": [1, 2]}, r"y has shape \(2,\) for 3 examples"),
        ({"x": X, "y": [0.5, 1, 2]}, "y holds 0.5, in row 0; give whole numbers"),
        ({"x": X, "y": [0, 1, -2]}, "y holds -2, in row 2; give whole numbers from 0 to 65535"),
        ({"x": X.astype(object)}, "Python objects"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        from_images(npz(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((10**6, 2000, 2000), "would take 1.6e\\+04 GB"), ((3, 8, 10), "another size than its")],
)
def test_an_array_that_announces_too_much_is_refused(tmp_path, shape, message):
    content = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content.getvalue() + bytes(3 * 8 * 9))
    with pytest.raises(DataError, match=message):
        from_images(tmp_path / "a.npz")


def test_a_damaged_npz_file_is_refused(tmp_path):
    path = npz(tmp_path / "a.npz", x=X + np.uint8(7))
    content = bytearray(path.read_bytes())
    content[content.index(b"\x07\x07\x07\x07")] = 8
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an npz file"):
        from_images(path)


def examples(num=100, classes=4):
    generator = torch.Generator().manual_seed(0)
    return vae.Batch(torch.rand(num, 1, 3, 3, generator=generator), torch.arange(num) % classes)


def test_a_split_is_in_proportion_and_loses_nothing():
    batch = examples()
    split = split_of(batch, valid=8, test=0.2, name="mine")
    assert repr(split) == "Split('mine', train 72, valid 8, test 20, event (1, 3, 3))"
    assert isinstance(split.test, vae.HeldOut)
    assert split.train.y.bincount().tolist() == [18] * 4
    assert split.valid.y.bincount().tolist() == [2] * 4
    assert split.test.y.bincount().tolist() == [5] * 4
    rows = torch.cat([split.train.x, split.valid.x, split.test.x])
    assert torch.equal(rows.flatten(1).sum(1).sort()[0], batch.x.flatten(1).sum(1).sort()[0])
    where = {tuple(x.flatten().tolist()): y for x, y in zip(*batch, strict=True)}
    assert all(where[tuple(x.flatten().tolist())] == y for x, y in zip(*split.train, strict=True))


def test_the_identity_is_that_of_the_three_parts():
    batch = examples()
    first = split_of(batch)
    assert first.identity == split_of(batch).identity and len(first.identity) == 64
    assert first.identity != split_of(batch, seed=1).identity
    assert first.identity != split_of(vae.Batch(batch.x, batch.y.roll(1))).identity
    brighter = batch.x.clone()
    brighter[3, 0, 0, 0] += 1e-3
    assert first.identity != split_of(vae.Batch(brighter, batch.y)).identity


def test_copies_across_parts_are_counted_in_one_warning():
    x = torch.zeros(20, 1, 2, 2)
    x[:10, 0, 0, 0] = torch.arange(1, 11)
    batch = vae.Batch(x, torch.arange(20) // 10)
    with pytest.warns(UserWarning) as said:
        split_of(batch, valid=4, test=4)
    (warning,) = said
    assert "2 of 4 test rows and 2 of 4 validation rows are copies" in str(warning.message)
    assert warning.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split_of(examples())


@pytest.mark.parametrize("size", [-1, 1.0, -0.1, True, "a", float("nan")])
def test_a_share_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="test must be a share below 1, or a whole number"):
        split_of(examples(), test=size)


def test_a_split_leaves_something_of_every_class_to_train_on():
    with pytest.raises(ValueError, match="take 50 and 50 of 100 rows, which leaves none"):
        split_of(examples(), valid=50, test=0.5)
    with pytest.raises(ValueError, match="leaves none for training"):
        split_of(examples(2))  # a share gives at least one
    lone = torch.zeros(100, dtype=torch.int64)
    lone[0] = 1
    with pytest.raises(ValueError, match="class 1 has 1 rows, none of them in the training part"):
        split_of(vae.Batch(examples().x, lone), test=0.7)
    unlabeled = split_of(vae.Batch(examples().x, -lone), test=0.7)
    assert len(unlabeled.test.y) == 70


class Frame:
    """What `from_counts` uses of a pandas.DataFrame."""

    def __init__(self, **columns):
        self.columns = columns
        self.shape = (len(next(iter(columns.values()))), len(columns))

    def __iter__(self):
        return iter(self.columns)

    def __getitem__(self, name):
        return self.columns[name]

    def to_numpy(self):
        return np.column_stack(list(self.columns.values()))

    def __array__(self, dtype=None, copy=None):
        return self.to_numpy()


COUNTS = np.array([[0, 3], [7, 1], [2, 2]])
TABLES = {
    "array": COUNTS,
    "floats": COUNTS.astype(float),
    "list": COUNTS.tolist(),
    "sparse": scipy.sparse.csr_matrix(COUNTS),
    "sparse array": scipy.sparse.csc_array(COUNTS),
    "tensor": torch.from_numpy(COUNTS),
    "sparse tensor": torch.from_numpy(COUNTS).to_sparse(),
    "frame": Frame(X=COUNTS[:, 0], obs=COUNTS[:, 1]),
    "objects": COUNTS.astype(object),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_counts_of_all_kinds(kind):
    batch = from_counts(TABLES[kind], site=np.array([1, 0, 1]))
    assert batch.x.dtype == torch.float32 and batch.y.tolist() == [-1, -1, -1]
    counts, library, site = observed(batch.x)
    assert counts.tolist() == COUNTS.tolist() and site.tolist() == [1, 0, 1]
    assert library.flatten().tolist() == [3, 8, 4]


def test_annotated_counts_name_their_columns():
    obs = Frame(lab=np.array(["b", "a", "b"]), kind=np.array(["T", None, "B"], object))
    cells = SimpleNamespace(X=scipy.sparse.csr_matrix(COUNTS), obs=obs)
    batch = from_counts(cells, site="lab", labels="kind")
    assert (batch.x[:, -1].tolist(), batch.y.tolist()) == ([1, 0, 1], [1, -1, 0])
    with pytest.raises(ValueError, match=r"the column 'day', X\.obs has lab, kind: give such"):
        from_counts(cells, site="day")
    with pytest.raises(ValueError, match="the column 'lab', X has none"):
        from_counts(COUNTS, site="lab")


def test_a_count_model_takes_the_rows():
    batch = from_counts(COUNTS, site=["b", "a", "b"], labels=[0, None, 1])
    model = vae.mlp_count_vae(2, 2, sites=2, hidden=(4,))
    assert model.given(batch.x).encode(batch.x).mean.shape == (3, 2)
    assert batch.y.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (COUNTS * 0.6931 / 3, r"X holds 0\.6931, as log-normalized data do: give the raw counts"),
        (COUNTS - 1, "whole numbers, 0 or more; X holds -1: give the raw counts"),
        (np.where(COUNTS == 7, np.nan, COUNTS), "X holds nan: give the raw counts"),
        (np.where(COUNTS == 7, np.inf, COUNTS), "X holds inf: give the raw counts"),
        (COUNTS[:0], r"at least one of each, got \(0, 2\)"),
        (COUNTS[0], r"X must have shape \(N, G\)"),
        ([["a", "b"]], "X must hold numbers, got <U1"),
        (np.array([["a", 1]], object), "X must hold numbers, got 'a'"),
        (COUNTS + 2**24, "X holds 16,777,223, and float32 counts exactly to 16,777,216 only"),
    ],
)
def test_what_is_no_count_is_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        from_counts(counts)


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ([0, 1], r"site has shape \(2,\) for 3 examples"),
        ([0, 1, -1], "site holds -1, in row 2; give whole numbers from 0 to 65535, or strings$"),
        ([0, 1, 2**16], "site holds 65536, in row 2; give whole numbers from 0 to 65535"),
        ([0, "a", 1], "site holds 'a' and 0; give strings alone or whole numbers alone"),
        (["a", 1.5, "b"], "site holds 'a' and 1.5"),
        (["a", None, "b"], "site must name every row, row 1 does not"),
        (["a", float("nan"), "b"], "site must name every row, row 1 does not"),
        ([0.0, float("nan"), 1.0], "site must name every row, row 1 does not"),
        ([0, 1, 0.5], "site holds 0.5, in row 2"),
        ([0, 1, float("inf")], "site holds inf, in row 2"),
        (np.ones((3, 2)), r"site has shape \(3, 2\) for 3 examples"),
    ],
)
def test_sites_that_are_none_are_refused(site, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_counts(COUNTS, site=site)


def test_counts_that_cannot_be_held_are_refused_before_they_are_dense(monkeypatch):
    with pytest.raises(ValueError, match=r"X would take 2e\+04 GB .*select cells or genes"):
        from_counts(scipy.sparse.csr_matrix((10**8, 50_000), dtype=np.int8))
    monkeypatch.setattr(limits, "MOST_BYTES", 4 * 3 * 3 - 1)
    with pytest.raises(ValueError, match="more than the"):
        from_counts(COUNTS)


@pytest.fixture
def own(tmp_path):
    """Forty random images in two classes."""
    rng = np.random.default_rng(0)
    for num in range(40):
        place = tmp_path / "own" / "ab"[num % 2] / f"{num}.png"
        save(place, rng.integers(0, 256, (12, 10), np.uint8))
    return tmp_path / "own"


def test_a_recipe_trains_on_own_images_and_judges_the_same(own, tmp_path, capsys):
    path, away = str(tmp_path / "model"), tmp_path / "away"
    assert main(["train", "vae", path, "--data", str(own), "--size", "8x6", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert main(["evaluate", path]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["data"], first["images"]) == (str(own), 6)
    own.rename(away)
    assert main(["evaluate", path]) == 1
    assert "own does not exist" in capsys.readouterr().err
    assert main(["evaluate", path, "--data", str(away)]) == 0
    assert json.loads(capsys.readouterr().out)["terms"] == first["terms"]
    save(away / "a" / "0.png", grey(3, (12, 10)))
    assert main(["evaluate", path, "--data", str(away)]) == 1
    assert "was trained on other away than the data here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "size", "message"),
    [
        ("svhn", "8", "must be one of mnist, .* and 'svhn' is not there"),
        ("digits", "8x8x8", "must be like 64 or 48x64, got '8x8x8'"),
        ("digits", "0", "must be like 64 or 48x64, got '0'"),
    ],
)
def test_data_that_cannot_be_are_refused_at_once(tmp_path, capsys, data, size, message):
    with pytest.raises(SystemExit):
        main(["train", "vae", str(tmp_path / "model"), "--data", data, "--size", size])
    (found,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert re.search(message, found)


def test_sizes_that_do_not_fit_are_said(own, tmp_path, capsys):
    path = str(tmp_path / "model")
    assert main(["train", "vae", path, "--data", "digits", "--size", "8"]) == 1
    assert "--size is for images of your own, digits has a size" in capsys.readouterr().err
    assert main(["train", "vae-conv", path, "--data", str(own)]) == 1
    assert "sides divisible by 4" in capsys.readouterr().err
