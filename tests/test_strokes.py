import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from vaecourse.data import stroke_pen
from vaecourse.data import strokes as module
from vaecourse.data.stroke_skeletons import NUM_STYLES, SKELETONS
from vaecourse.data.strokes import CHOICES, RANGES, load_arrays, strokes

PLAIN = {
    "style": 0,
    "slant": 0.0,
    "thickness": 2.5,
    "rotation": 0.0,
    "scale": 1.0,
    "position_x": 0.0,
    "position_y": 0.0,
    "wobble": 0.0,
}
BAR = PLAIN | {"label": 1, "style": 4}  # a straight vertical line
PIXELS = np.arange(28)


def moments(images):
    """Center of mass and second moments of the ink, columns before rows."""
    ink = images / 255.0
    mass = ink.sum((1, 2))
    cx, cy = (ink.sum(1) @ PIXELS / mass, ink.sum(2) @ PIXELS / mass)
    dx, dy = PIXELS - cx[:, None], PIXELS - cy[:, None]
    xx = np.einsum("nij,nj->n", ink, dx**2) / mass
    yy = np.einsum("nij,ni->n", ink, dy**2) / mass
    xy = np.einsum("nij,ni,nj->n", ink, dy, dx) / mass
    return cx, cy, xx, yy, xy


def one_each(**changes):
    """The ten plain digits, with changes."""
    return strokes(10, **(PLAIN | {"label": np.arange(10)} | changes)).images


@pytest.fixture(scope="module")
def many():
    return strokes(4000, seed=7)


def test_same_seed_same_digits_and_other_seed_other_digits():
    first, again, other = strokes(300, seed=5), strokes(300, seed=5), strokes(300, seed=6)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    for name, values in first.factors.items():
        np.testing.assert_array_equal(values, again.factors[name])
        assert not np.array_equal(values, other.factors[name])
    assert not (first.images == other.images).all((1, 2)).any()


def test_shapes_types_and_ranges(many):
    assert (many.images.shape, many.images.dtype) == ((4000, 28, 28), np.uint8)
    assert (many.labels.shape, many.labels.dtype) == ((4000,), np.int64)
    assert set(many.factors) == set(CHOICES) | set(RANGES)
    assert all(values.shape == (4000,) for values in many.factors.values())
    assert all(values.dtype == np.float64 for values in many.factors.values())
    np.testing.assert_array_equal(many.factors["label"], many.labels)
    np.testing.assert_array_equal(many.images.max((1, 2)) > 200, True)
    assert many.images.min() == 0


def test_one_digit():
    assert strokes(1).images.shape == (1, 28, 28)


def test_labels_and_styles_are_uniform(many):
    kinds = many.labels * NUM_STYLES + many.factors["style"].astype(int)
    for values, count, limit in ((many.labels, 10, 33.7), (kinds, 10 * NUM_STYLES, 142.0)):
        expected = 4000 / count
        seen = np.bincount(values, minlength=count)
        # chi-square with 9 and 79 degrees of freedom: its 99.99 % point is 33.7 and over 135
        assert len(seen) == count
        assert ((seen - expected) ** 2 / expected).sum() < limit


def test_factors_follow_their_distribution_and_are_independent(many):
    for name, (low, high, _, _) in RANGES.items():
        values = many.factors[name]
        assert low <= values.min() and values.max() <= high
        deviation = (high - low) / (2 * np.sqrt(7))  # of Beta(3, 3)
        assert abs(values.mean() - (low + high) / 2) < 5 * deviation / np.sqrt(4000)
        assert values.std() == pytest.approx(deviation, rel=5 / np.sqrt(2 * 4000))
    table = np.corrcoef(np.stack(list(many.factors.values())))
    assert np.abs(table - np.eye(len(table))).max() < 5 / np.sqrt(4000)


@pytest.mark.parametrize("name", [*CHOICES, *RANGES])
def test_fixing_a_factor_changes_nothing_else(name):
    free = strokes(40, seed=11)
    value = 3 if name in CHOICES else RANGES[name].least
    fixed = strokes(40, seed=11, **{name: value})
    np.testing.assert_array_equal(fixed.factors[name], value)
    for other in set(free.factors) - {name}:
        np.testing.assert_array_equal(fixed.factors[other], free.factors[other])
    assert (fixed.images != free.images).any((1, 2)).mean() > 0.8
    as_drawn = strokes(40, seed=11, **{name: free.factors[name]})
    np.testing.assert_array_equal(as_drawn.images, free.images)


def test_fixed_label_is_the_label():
    digits = strokes(10, label=np.arange(10)[::-1])
    np.testing.assert_array_equal(digits.labels, np.arange(10)[::-1])


def test_factors_do_not_share_memory_with_the_argument():
    slants = np.zeros(5)
    digits = strokes(5, slant=slants)
    slants[:] = 1
    np.testing.assert_array_equal(digits.factors["slant"], 0)


def test_ink_of_a_vertical_bar_is_exact():
    # A bar of width w covers w pixels of every row it crosses, wherever it lies.
    place, width = (a.ravel() for a in np.meshgrid(np.linspace(-2, 2, 17), [1.25, 1.7, 2.5, 4.0]))
    images = strokes(68, **(BAR | {"position_x": place, "thickness": width})).images / 255
    rows = images[:, 8:20].sum(2)
    np.testing.assert_allclose(rows, np.repeat(width[:, None], 12, axis=1), atol=0.03)
    # With round ends its area is w (l - w) + pi w**2 / 4 for a whole length l of 20 pixels.
    area = width * (20 - width) + np.pi * width**2 / 4
    np.testing.assert_allclose(images.sum((1, 2)), area, rtol=0.03)


def test_slant_is_the_shear_of_the_ink():
    slants = np.linspace(-0.6, 0.8, 15)
    *_, yy, xy = moments(strokes(15, **(BAR | {"slant": slants, "thickness": 1.5})).images)
    np.testing.assert_allclose(-xy / yy, slants, atol=0.02)
    for label in range(10):
        images = strokes(15, **(PLAIN | {"label": label, "slant": slants})).images
        *_, yy, xy = moments(images)
        slope, _ = np.polyfit(slants, -xy / yy, 1)
        assert np.corrcoef(slants, -xy / yy)[0, 1] > 0.99
        assert 0.7 < slope < 1.3  # 1 for a dense figure; pen paths change their density


def test_rotation_turns_counterclockwise_by_degrees():
    degrees = np.linspace(-40, 40, 17)
    _, _, xx, yy, xy = moments(strokes(17, **(BAR | {"rotation": degrees})).images)
    axis = np.rad2deg(0.5 * np.arctan2(2 * xy, yy - xx))  # from vertical, right end down
    np.testing.assert_allclose(axis, degrees, atol=0.5)


def test_ink_rises_with_thickness():
    ink = [one_each(thickness=t).sum((1, 2), dtype=float) for t in np.linspace(1, 4.5, 8)]
    assert (np.diff(ink, axis=0) > 0).all()


@pytest.mark.parametrize("scale", [0.7, 0.85, 1.0, 1.1])
def test_longer_side_is_twenty_pixels_times_scale(scale):
    inside = one_each(scale=scale) > 127
    sides = [[np.ptp(np.flatnonzero(image.any(axis))) + 1 for axis in (0, 1)] for image in inside]
    # Rounding to whole pixels at both ends moves each side by less than one pixel.
    np.testing.assert_allclose(np.max(sides, axis=1), 20 * scale, atol=1.0)


def test_center_of_mass_is_the_position(many):
    whole = ~(
        (many.images[:, [0, -1]] > 0).any((1, 2)) | (many.images[..., [0, -1]] > 0).any((1, 2))
    )
    assert whole.mean() > 0.9
    for center, name in zip(moments(many.images), ("position_x", "position_y"), strict=False):
        error = (center - 14 - many.factors[name])[whole]
        assert abs(error.mean()) < 0.05
        assert np.abs(error).max() < 0.5
        assert np.corrcoef(center[whole], many.factors[name][whole])[0, 1] > 0.95


def test_wobble_is_the_only_noise():
    still, moved = ([one_each(seed=s, wobble=w) for s in (1, 2)] for w in (0.0, 1.0))
    np.testing.assert_array_equal(*still)
    assert not (moved[0] == moved[1]).all((1, 2)).any()


def test_the_eighty_designs_differ():
    label, style = (a.ravel() for a in np.meshgrid(range(10), range(NUM_STYLES)))
    images = strokes(80, **(PLAIN | {"label": label, "style": style})).images.reshape(80, -1) / 255
    distance = np.linalg.norm(images[:, None] - images, axis=2) + 99 * np.eye(80)
    assert distance.min() > 0.5
    same = label[:, None] == label
    assert distance[~same].min() > 3


def test_intensity_is_that_of_mnist(many):
    values = many.images / 255
    assert values.mean() == pytest.approx(0.1307, abs=0.01)
    assert values.std() == pytest.approx(0.3081, abs=0.01)


def test_splines_run_through_their_points():
    for path in (path for styles in SKELETONS for path in styles):
        weights, controls = stroke_pen._path_weights(path)
        np.testing.assert_allclose(weights.sum(1), 1)  # so that moving all points moves the curve
        curve, points = weights @ controls, stroke_pen._parse(path)[0]
        gaps = np.linalg.norm(points[:, None] - curve, axis=2).min(1)
        spacing = np.median(np.linalg.norm(np.diff(curve, axis=0), axis=1))
        assert gaps.max() <= 0.6 * spacing
        assert spacing * 20 / 100 < 0.6  # pixels, in a digit 20 pixels high


def test_spline_of_points_on_a_parabola_is_the_parabola():
    points = np.array([[x, 0.0] for x in (0.0, 1.0, 3.0, 4.5, 8.0)])  # knots are the distances
    curve = stroke_pen._spline_weights(points) @ np.column_stack([points[:, 0], points[:, 0] ** 2])
    np.testing.assert_allclose(curve[:, 1], curve[:, 0] ** 2, atol=1e-12)


def test_global_random_states_are_left_alone():
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    strokes(5, seed=1)
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num": 0}, "num must be a positive integer, got 0"),
        ({"num": 2.0}, "num must be a positive integer, got 2.0"),
        ({"num": True}, "num must be a positive integer, got True"),
        ({"num": 2, "seed": -1}, "seed must be a non-negative integer, got -1"),
        ({"num": 2, "seed": None}, "seed must be a non-negative integer, got None"),
        ({"num": 2, "label": 10}, "label must be whole numbers from 0 to 9, got 10"),
        ({"num": 2, "style": [0, 8]}, "style must be whole numbers from 0 to 7, got 8"),
        ({"num": 2, "label": 0.5}, "label must be whole numbers from 0 to 9, got 0.5"),
        ({"num": 2, "slant": 9}, "slant must be between -1.5 and 1.5, got 9"),
        ({"num": 2, "scale": float("nan")}, "scale must be between 0.6 and 1.3, got nan"),
        ({"num": 2, "slant": [0] * 3}, r"one number or an array of shape \(2,\), got shape \(3,\)"),
        ({"num": 2, "slant": "much"}, r"one number or an array of shape \(2,\), got 'much'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        strokes(**arguments)


@pytest.fixture
def small(monkeypatch):
    """Few digits, and a count of how often they are drawn."""
    assert (module.NUM_TRAIN, module.NUM_TEST) == (60_000, 10_000)
    monkeypatch.setattr(module, "NUM_TRAIN", 600)
    monkeypatch.setattr(module, "NUM_TEST", 100)
    calls = []
    monkeypatch.setattr(module, "strokes", lambda *a: calls.append(a) or strokes(*a))
    return calls


def same(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)


def test_arrays_are_laid_out_like_mnist(small, tmp_path):
    arrays = load_arrays(tmp_path / "new" / "folder")
    for part, num in (("train", 600), ("test", 100)):
        assert (arrays[f"x_{part}"].shape, arrays[f"x_{part}"].dtype) == ((num, 28, 28), np.uint8)
        np.testing.assert_array_equal(arrays[f"label_{part}"], arrays[f"y_{part}"])
        assert {f"{name}_{part}" for name in (*CHOICES, *RANGES)} < set(arrays)
    assert len(arrays) == 2 * (2 + len(CHOICES) + len(RANGES))


def test_train_and_test_share_no_digit(small, tmp_path):
    arrays = load_arrays(tmp_path)
    train, test = ({image.tobytes() for image in arrays[f"x_{p}"]} for p in ("train", "test"))
    assert (len(train), len(test)) == (600, 100)
    assert not train & test
    assert not set(arrays["slant_train"]) & set(arrays["slant_test"])
    assert not np.array_equal(arrays["y_train"][:100], arrays["y_test"])  # as one seed would give


def test_cache_is_read_back(small, tmp_path):
    first = load_arrays(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["strokes.npz"]
    assert same(load_arrays(str(tmp_path)), first)
    assert len(small) == 2  # train and test, once


def test_changed_code_is_drawn_again(small, tmp_path, monkeypatch):
    load_arrays(tmp_path)
    monkeypatch.setattr(module, "source_hash", lambda: "other")
    load_arrays(tmp_path)
    load_arrays(tmp_path)
    assert len(small) == 4


def test_source_hash_sees_every_file_that_draws(tmp_path, monkeypatch):
    before = module.source_hash()
    files = sorted(Path(module.__file__).parent.glob("stroke*.py"))
    assert [file.name for file in files] == ["stroke_pen.py", "stroke_skeletons.py", "strokes.py"]
    for file in files:
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "strokes.py"))
    seen = {before}
    assert module.source_hash() in seen
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes() + b"#")
        seen.add(module.source_hash())
    assert len(seen) == 4


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not an archive",
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        flip,
        lambda data: bytes(len(data)),
        lambda data: data[:4] + bytes(200) + data[204:],
    ],
)
def test_damaged_cache_is_drawn_again(small, tmp_path, damage):
    first = load_arrays(tmp_path)
    path = tmp_path / "strokes.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert same(load_arrays(tmp_path), first)
    assert len(small) == 4
    assert same(load_arrays(tmp_path), first)
    assert len(small) == 4  # the cache is whole again


def test_cache_that_lacks_an_array_is_drawn_again(small, tmp_path):
    first = load_arrays(tmp_path)
    with np.load(tmp_path / "strokes.npz") as file:
        kept = {name: file[name] for name in file.files if name != "slant_test"}
    np.savez(tmp_path / "strokes.npz", **kept)
    assert same(load_arrays(tmp_path), first)


def test_pickles_are_not_read(small, tmp_path):
    np.savez(tmp_path / "strokes.npz", version=np.array([object()], dtype=object))
    assert len(load_arrays(tmp_path)["y_test"]) == 100


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_failure_in_the_middle_of_writing_leaves_nothing_half_written(
    small, tmp_path, monkeypatch, failure, stale
):
    if stale:
        (tmp_path / "strokes.npz").write_bytes(b"old")

    def savez(file, **arrays):
        file.write(b"half")
        raise failure

    monkeypatch.setattr(module.np, "savez", savez)
    if isinstance(failure, OSError):
        with pytest.warns(UserWarning, match="cannot write .*disk full"):
            assert len(load_arrays(tmp_path)["y_train"]) == 600
    else:
        with pytest.raises(KeyboardInterrupt):
            load_arrays(tmp_path)
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert left == ({"strokes.npz": b"old"} if stale else {})
