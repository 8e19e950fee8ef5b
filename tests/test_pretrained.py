"""Named models: trained once, loaded with the same bits, trained anew when anything changed."""

from ast import literal_eval
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import vaecourse as vc
from vaecourse import pretrained
from vaecourse.data.labels import dynamic_binarization
from vaecourse.objectives import elbo, reconstruction
from vaecourse.pretrained import RECIPES, Recipe, fitted

SMALL = Recipe(vc.mlp_vae, 2, elbo, epochs=3, architecture={"hidden": (6,)})


def _split(seed=0, name="toy"):
    x = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(40) % 3
    parts = [vc.Batch(x[a:b], y[a:b]) for a, b in ((0, 30), (30, 35), (35, 40))]
    return vc.Split(name, parts[0], parts[1], vc.HeldOut(*parts[2]), identity=f"toy-{seed}")


@pytest.fixture(autouse=True)
def small_recipe(monkeypatch, tmp_path):
    """A cache of its own and a model that trains at once, named "small"."""
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path))
    monkeypatch.setitem(RECIPES, "small", SMALL)


@pytest.fixture
def trainings(monkeypatch):
    """Return the list that gets one entry for every training."""
    calls = []

    def counted(*args, **options):
        calls.append(options)
        return vc.fit(*args, **options)

    monkeypatch.setattr(pretrained, "fit", counted)
    return calls


def _same(one, two):
    first, second = one.state_dict(), two.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _fitted(name="small", split=None, **options):
    return fitted(name, split or _split(), progress=False, **options)


def test_trained_once_and_loaded_with_the_same_bits(trainings, tmp_path):
    first = _fitted()
    files = _files(tmp_path)
    second = _fitted()
    assert len(trainings) == 1
    assert _same(first, second)
    assert not first.training
    assert not second.training
    assert _files(tmp_path) == files
    assert [path.suffix for path in files] == [".safetensors"]


def test_training_happened(trainings):
    model = _fitted()
    fresh = RECIPES["small"].untrained(_split())
    assert not _same(model, fresh)
    assert trainings[0]["transform"] is dynamic_binarization


def _renamed_mlp_vae(event_shape, latent_dim, hidden):
    return vc.mlp_vae(event_shape, latent_dim, hidden)


CHANGED_FIELDS = {
    "build": _renamed_mlp_vae,
    "latent_dim": 3,
    "objective": reconstruction,
    "epochs": 4,
    "binarize": False,
    "batch_size": 10,
    "peak": 1e-3,
    "architecture": {"hidden": (7,)},
}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"split": _split(seed=1)},
        *({"recipe": {name: value}} for name, value in CHANGED_FIELDS.items()),
        {"source": "edited"},
        {"torch": "0.1"},
        {"instructions": "NONE OF THESE"},
    ],
    ids=lambda change: next(iter(change.get("recipe", change))),
)
def test_trained_anew_when_anything_changed(trainings, monkeypatch, change):
    _fitted()
    if "recipe" in change:
        monkeypatch.setitem(RECIPES, "small", replace(SMALL, **change["recipe"]))
    if "source" in change:
        monkeypatch.setattr(pretrained, "source_hash", lambda _module: change["source"])
    if "torch" in change:
        # For this module alone: safetensors asks for the version too.
        other = SimpleNamespace(__version__=change["torch"], backends=torch.backends)
        monkeypatch.setattr(pretrained, "torch", other)
    if "instructions" in change:
        capability = change["instructions"]
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    options = {key: change[key] for key in ("seed", "split") if key in change}
    changed = _fitted(**options)
    assert len(trainings) == 2
    assert _same(changed, _fitted(**options))
    assert len(trainings) == 2


def test_every_field_of_a_recipe_was_changed_above():
    assert set(CHANGED_FIELDS) == {field.name for field in fields(Recipe)}


def test_architectures_print_alike_in_every_process():
    """An object that prints its address would give its model a new file name in every process."""
    for recipe in RECIPES.values():
        assert literal_eval(repr(recipe.architecture)) == recipe.architecture


def test_the_architecture_goes_to_the_builder():
    wide = replace(SMALL, architecture={"hidden": (9, 5)}).untrained(_split())
    shapes = [tuple(weights.shape) for weights in wide.encoder.parameters() if weights.dim() == 2]
    assert shapes == [(9, 16), (5, 9), (4, 5)]


def test_two_models_do_not_share_a_file(trainings, monkeypatch):
    monkeypatch.setitem(RECIPES, "other", RECIPES["small"])
    for name in ("small", "other"):
        for split in (_split(), _split(name="toy2")):
            _fitted(name, split)
    assert len(trainings) == 4


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:-1], lambda content: b"x" * 500],
    ids=["empty", "short", "text"],
)
def test_a_damaged_file_is_replaced(trainings, tmp_path, damage):
    first = _fitted()
    (path,) = _files(tmp_path)
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert _same(_fitted(), first)
    assert len(trainings) == 2
    assert _same(_fitted(), first)
    assert len(trainings) == 2
    assert _files(tmp_path) == [path]


def _file_for_folder(path):
    path.parent.rmdir()
    path.parent.write_text("mine", encoding="utf-8")


@pytest.mark.parametrize(
    "spoil", [lambda path: path.mkdir(), _file_for_folder], ids=["model", "folder"]
)
def test_a_model_that_cannot_be_kept_is_returned(trainings, tmp_path, monkeypatch, spoil):
    first = _fitted()
    (path,) = _files(tmp_path)
    path.unlink()
    spoil(path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.warns(UserWarning, match="will be trained again next time") as caught:
        model = _fitted()
    assert len(caught) == 1
    said = str(caught[0].message)
    assert f"cannot be kept in {path} (" in said
    assert said.endswith("; name a folder in VAECOURSE_CACHE")
    assert caught[0].filename == __file__
    assert _same(model, first)
    assert not model.training
    assert len(trainings) == 2
    assert sorted(tmp_path.rglob("*")) == before
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    assert _same(_fitted(), first)


def test_a_model_in_a_folder_without_rights_is_returned(trainings, tmp_path, monkeypatch):
    """The system is asked by a stand-in: to an administrator every folder is open."""
    first = _fitted()

    def refuse(self, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refuse)
    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.warns(UserWarning, match="will be trained again .*Permission denied") as caught:
        assert _same(_fitted(), first)
    assert len(caught) == 1
    assert len(trainings) == 2


def test_a_stopped_training_leaves_nothing(monkeypatch, tmp_path):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        _fitted()
    assert _files(tmp_path) == []


def test_neither_way_touches_random_state(trainings):
    before = torch.get_rng_state()
    for _ in range(2):
        _fitted()
        assert torch.equal(torch.get_rng_state(), before)
    assert len(trainings) == 1


def test_names_must_be_known():
    with pytest.raises(ValueError, match=r"name must be one of autoencoder, .*, got 'gan'"):
        _fitted("gan")


def test_every_recipe_builds_and_its_objective_applies():
    """On images of every size that `load` gives and whose sides can be halved twice."""
    for event in ((1, 28, 28), (3, 32, 32), (1, 8, 8)):
        batch = vc.Batch(torch.rand(2, *event), torch.tensor([0, -1]))
        split = vc.Split("toy", batch, batch, vc.HeldOut(*batch), identity="toy")
        for recipe in RECIPES.values():
            terms = recipe.objective(recipe.untrained(split), batch)
            assert terms["loss"].shape == (2,)
            assert terms["loss"].isfinite().all()
