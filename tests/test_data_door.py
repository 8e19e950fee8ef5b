"""Anyone's arrays at the door: converted where they are unambiguous, refused in a sentence else."""

import re
import warnings
from functools import partial

import numpy as np
import pytest
import torch
import toy
from PIL import Image

import vaecourse as vc
from vaecourse.data import door
from vaecourse.data.labels import dynamic_binarization, static_binarization
from vaecourse.evaluation import confusion_matrix, error_rate, evaluate
from vaecourse.objectives import elbo, given_covariates, m2

of = vc.Batch.of


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(door, "_said", set())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


NUMBERS = np.arange(12).reshape(3, 4) / 11
FORMS = {
    "float64": NUMBERS,
    "float32": NUMBERS.astype("f4"),
    "other byte order": NUMBERS.astype(">f8"),
    "reversed twice": NUMBERS[::-1][::-1],
    "columns first": np.asfortranarray(NUMBERS),
    "lists": NUMBERS.tolist(),
    "a list of rows": list(NUMBERS),
    "a list of tensors": list(torch.tensor(NUMBERS)),
    "tensor": torch.tensor(NUMBERS),
    "with a gradient": torch.tensor(NUMBERS, requires_grad=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_numbers_of_every_form_are_the_same_float32(form):
    x, y = of(FORMS[form])
    assert x.dtype == torch.float32
    assert not x.requires_grad
    assert torch.equal(x, torch.tensor(NUMBERS, dtype=torch.float32))
    assert y.tolist() == [-1, -1, -1]


def test_an_array_that_nobody_may_write_to_is_copied():
    x = np.ones((2, 3), "f4")
    x.flags.writeable = False
    batch = of(x)
    batch.x[0] = 5
    assert x.max() == 1


def test_bytes_are_pixels_and_that_is_said_once():
    image = np.array([[0, 51], [255, 102]], "u1")
    with pytest.warns(UserWarning, match="divided by 255"):
        x = of([image, image]).x
    assert x.shape == (2, 1, 2, 2)
    assert torch.equal(x[0, 0], torch.tensor([[0, 0.2], [1, 0.4]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of([image])


def test_channels_that_come_last_come_first():
    image = np.arange(24, dtype="u1").reshape(1, 2, 4, 3)
    assert torch.equal(of(image).x[0] * 255, torch.tensor(image[0].transpose(2, 0, 1)).float())
    pictures = [Image.fromarray(image[0])] * 2
    assert torch.equal(of(pictures).x[1], of(image).x[0])
    assert of(np.zeros((2, 3, 8, 8), "u1")).x.shape == (2, 3, 8, 8)


RNG = np.random.default_rng(0)
IMAGES = {
    "grey": (5, 6, 7),
    "one channel first": (5, 1, 6, 7),
    "one channel last": (5, 6, 7, 1),
    "three first": (5, 3, 6, 7),
    "three last": (5, 6, 7, 3),
    "alpha first": (5, 4, 6, 7),
    "alpha last": (5, 6, 7, 4),
    "as wide as channels, first": (5, 1, 4, 4),
    "as wide as channels, last": (5, 3, 3, 4),
}


@pytest.mark.parametrize("shape", IMAGES.values(), ids=IMAGES)
def test_arrays_in_memory_and_in_a_file_are_the_same_images(tmp_path, shape):
    images = RNG.integers(0, 256, shape, np.uint8)
    np.savez(tmp_path / "a.npz", x=images)
    wanted = vc.data.from_images(tmp_path / "a.npz").batch.x
    assert torch.allclose(of(images).x, wanted, rtol=0, atol=1e-6)
    floats = images / np.float32(255)
    np.savez(tmp_path / "a.npz", x=floats)
    assert torch.equal(vc.data.from_images(tmp_path / "a.npz").batch.x, wanted)
    if shape[-1] == 3:
        with pytest.warns(UserWarning, match="channels came last") as caught:
            door._said.clear()
            assert torch.allclose(of(floats).x, wanted, rtol=0, atol=1e-6)
        assert caught[0].filename == __file__


def test_numbers_that_are_no_pixels_stay_where_they_are():
    x = RNG.normal(size=(5, 6, 7, 3))
    assert of(x).x.shape == (5, 6, 7, 3)


@pytest.mark.parametrize("form", ["counts", "npz"])
def test_labels_are_encoded_the_same_at_every_door(tmp_path, form):
    """One-hot rows, columns, bytes and -100 mean the same wherever labels come in."""
    given = [np.eye(3)[[2, 0, 1]], [[2], [0], [-1]], [2.0, 0.0, NONE], np.array([2, 0, -100])]
    given += [["b", None, "a"], np.array([b"b", b"c", b"a"])]
    for y in given:
        wanted = of(NUMBERS, y)
        if form == "counts":
            batch = vc.data.from_counts(np.ones((3, 2)), labels=y)
        else:
            if None in y:
                continue  # a file of plain arrays holds no None
            np.savez(tmp_path / "a.npz", x=np.zeros((3, 2, 2), "u1"), y=np.array(y))
            batch = vc.data.from_images(tmp_path / "a.npz").batch
        assert torch.equal(batch.y, wanted.y)
        assert batch.classes == wanted.classes
    named = of(np.ones((30, 2)), ["a", "b", "c"] * 10)
    assert vc.data.split_of(named).train.classes == ("a", "b", "c")


def test_bits_stay_zero_and_one():
    bits = np.array([[0, 1, 1]])
    for kind in ("u1", "?"):
        assert of(bits.astype(kind)).x.tolist() == [[0.0, 1.0, 1.0]]


NONE = float("nan")
LABELS = {
    "whole numbers": [2, 0, -1],
    "in a column": np.array([[2], [0], [-1]]),
    "floats": [2.0, 0.0, NONE],
    "with None": [2, 0, None],
    "one for PyTorch": torch.tensor([2, 0, -100]),
    "bytes": np.array([2, 0, -1], "i1"),
    "other byte order": np.array([2, 0, -1], ">i4"),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_of_every_form_are_the_same_whole_numbers(form):
    y = of(NUMBERS, LABELS[form]).y
    assert y.dtype == torch.int64
    assert y.tolist() == [2, 0, -1]


def test_rows_of_zeros_and_a_one_are_labels():
    assert of(NUMBERS, np.eye(3)[[2, 0, 1]]).y.tolist() == [2, 0, 1]


@pytest.mark.parametrize("names", [["dog", None, "cat"], np.array(["dog", NONE, "cat"], object)])
def test_names_of_classes_are_numbered_kept_and_told(names):
    with pytest.warns(UserWarning, match="0 = cat, 1 = dog"):
        batch = of(NUMBERS, names)
    assert batch.y.tolist() == [1, -1, 0]
    assert batch.classes == ("cat", "dog")
    x, _ = batch
    assert batch._replace(x=x + 1).classes == ("cat", "dog")
    assert of(NUMBERS).classes == ()


REFUSED = {
    "whole numbers": (np.arange(4).reshape(2, 2), None, "int64 from 0 to 3.*uint8.*float32"),
    "text": (["a", "b"], None, "wanted numbers"),
    "objects": (np.array([[{}]]), None, "wanted numbers"),
    "complex": (torch.ones(2, 2, dtype=torch.complex64), None, "complex"),
    "none": ([], None, "at least one row"),
    "no numbers": (np.ones((3, 0)), None, r"shape \(3, 0\), wanted"),
    "single numbers": ([1.0, 2.0], None, r"reshape single numbers to \(N, 1\)"),
    "ragged": ([[1.0, 2.0], [1.0]], None, r"\(2,\) in row 0 and \(1,\) in row 1"),
    "not finite": ([[1.0], [NONE], [NONE]], None, "2 of 3 rows, first in row 1"),
    "too large": ([[1e300]], None, "not finite"),
    "few labels": (NUMBERS, [1, 2], r"\(2,\) for 3 examples"),
    "wide labels": (NUMBERS, np.ones((3, 2)), r"\(3, 2\) for 3 examples"),
    "fractions": (NUMBERS, [0, 0.5, 1], "0.5, in row 1"),
    "below none": (NUMBERS, [0, 1, -2], "-2, in row 2"),
    "infinite labels": (NUMBERS, [0, 1, float("inf")], "inf, in row 2"),
    "mixed labels": (
        NUMBERS,
        np.array(["a", 1, "b"], object),
        "'a' and 1; give strings alone or whole numbers alone",
    ),
    "strings and a fraction": (NUMBERS, ["a", 1.5, "b"], "'a' and 1.5; give strings alone"),
    "strings and a truth": (NUMBERS, ["a", True, "b"], "'a' and True; give strings alone"),
    "strings and a number, as a table": (NUMBERS, [["a"], [1], ["b"]], "'a' and 1; give strings"),
    "things": (NUMBERS, ["a", {}, "b"], r"y holds {}, wanted whole numbers or strings"),
    "ragged labels": (NUMBERS, [[1], [1, 2], [0]], "one label a row"),
    "large labels": (NUMBERS, [0, 1, 2**40], "y holds 1099511627776, in row 2"),
    "channels at either end": (
        np.zeros((2, 3, 6, 3), "u1"),
        None,
        "second or last axis may be the channels",
    ),
    "dates": (NUMBERS, np.array(["2020-01-01"] * 3, "M8[D]"), "wanted whole numbers or strings"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ambiguous_is_refused_in_a_sentence(case):
    x, y, words = REFUSED[case]
    with pytest.raises((ValueError, TypeError)) as error:
        of(x, y)
    text = str(error.value)
    assert re.search(words, text)
    assert "\n" not in text


OUTSIDE = {
    "bytes": (lambda x: x * 255, "divide by 255"),
    "standardized": (lambda x: (x - 0.5) / 0.1, "scale them to"),
    "from minus one": (lambda x: 2 * x - 1, r"take \(x \+ 1\) / 2"),
    "few levels": (lambda x: x * 16, "largest possible value"),
}


@pytest.mark.parametrize("case", OUTSIDE)
@pytest.mark.parametrize("part", ["train", "valid"])
def test_pixels_outside_the_support_of_a_likelihood_are_refused(case, part):
    change, words = OUTSIDE[case]
    data, valid = toy.batch(), toy.batch(20, 1)
    bad = data._replace(x=change(data.x))
    model, before = toy.model(), toy.weights(toy.model())
    parts = (bad, valid) if part == "train" else (data, bad)
    split = vc.Split("own", *parts, vc.HeldOut(*valid), identity="own")
    with pytest.raises(ValueError, match=rf"Bernoulli takes pixels in \[0, 1\]; x runs .*{words}"):
        toy.fit(model, data=split)
    assert toy.same(before, model.state_dict())
    with pytest.raises(ValueError, match="Bernoulli takes"):
        evaluate(model, elbo, bad)
    gaussian = toy.model(partial(vc.mlp_vae, likelihood=vc.GaussianSharedScale, hidden=(8,)))
    toy.fit(gaussian, data=bad, steps=1)
    own = toy.fit(model, lambda model, batch: elbo(model, batch), bad, steps=1)
    assert len(own) == 1


def test_binarization_and_what_a_transform_returns_are_held_against_it_too():
    data = toy.batch()
    bytes_ = data._replace(x=data.x * 255)
    with pytest.raises(ValueError, match=r"dynamic_binarization takes .*divide by 255"):
        toy.fit(toy.model(), data=bytes_, transform=dynamic_binarization)
    for binarize in (partial(dynamic_binarization, generator=torch.Generator()), static_once):
        with pytest.raises(ValueError, match=r"binarization takes .*divide by 255"):
            binarize(bytes_.x)
    with pytest.raises(ValueError, match="Bernoulli takes"):
        toy.fit(toy.model(), data=data, steps=1, transform=lambda x, _: 2 * x - 1)
    assert len(toy.fit(toy.model(), data=bytes_, steps=2, transform=lambda x, _: x / 255)) == 2


def static_once(x):
    return static_binarization(x, 0)


@pytest.mark.parametrize("bad", [0.69, -1.0])
def test_counts_that_are_none_are_refused(bad):
    x = torch.ones(9, 5)
    x[2, 1] = bad
    model = vc.mlp_count_vae(4, 2)
    with pytest.raises(ValueError, match=r"NegativeBinomial takes counts.*raw counts"):
        toy.fit(model, given_covariates, of(x))


def test_labels_that_a_model_has_no_class_for_are_refused():
    data = toy.batch()
    one_to_three = data._replace(y=data.y + 1)
    model = vc.mlp_m2(toy.D, 2, 3, (8,))
    words = r"y holds 1\.\.3; a model of 3 classes takes 0\.\.2, and -1 for unlabeled"
    objective = partial(m2, alpha=1.0)
    with pytest.raises(ValueError, match=words):
        toy.fit(model, objective, one_to_three)
    for judge in (partial(evaluate, objective=objective), error_rate, confusion_matrix):
        with pytest.raises(ValueError, match=words):
            judge(model, data=one_to_three)
    assert len(toy.fit(model, objective, data, steps=1)) == 1


def test_what_takes_examples_takes_arrays():
    model, x = toy.model(), toy.batch().x
    array = x.double().numpy()
    for found, wanted in (
        (vc.evaluation.embed(model, array), vc.evaluation.embed(model, x)),
        (vc.evaluation.reconstruct(model, array), vc.evaluation.reconstruct(model, x)),
        (
            vc.evaluation.log_marginal(model, array, 3).value,
            vc.evaluation.log_marginal(model, x, 3).value,
        ),
    ):
        assert torch.equal(found, wanted)
    m2_model = vc.mlp_m2(toy.D, 2, 3, (8,))
    assert torch.equal(vc.evaluation.predict(m2_model, array), vc.evaluation.predict(m2_model, x))


@pytest.mark.parametrize("kind", [torch.float64, torch.float16])
def test_fit_and_evaluate_take_data_of_another_type_than_the_weights(kind):
    x, y = toy.batch()
    x = x.half()  # exact in each of the types
    wanted = toy.fit(toy.model(), data=vc.Batch(x.float(), y), steps=3)["loss"]
    data = vc.Batch(x.to(kind), y.int())
    assert np.array_equal(toy.fit(toy.model(), data=data, steps=3)["loss"], wanted)
    assert evaluate(toy.model(), elbo, data) == evaluate(toy.model(), elbo, vc.Batch(x.float(), y))
    raw = vc.Batch(data.x.numpy(), data.y.numpy())
    assert np.array_equal(toy.fit(toy.model(), data=raw, steps=3)["loss"], wanted)
