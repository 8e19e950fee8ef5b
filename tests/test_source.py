"""What counts as a change of the code that trains."""

import gc
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest

import vaecourse as vc
from vaecourse import pretrained
from vaecourse.runtime import source


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package whose ``train`` imports two files, one of them inside a function."""
    (tmp_path / "data").mkdir()
    texts = {
        "train.py": "from vaecourse import model\nfrom vaecourse.data import load\n",
        "model.py": "def build():\n    from vaecourse.data.files import open_it\n    return 1\n",
        "data/__init__.py": "def load():\n    return 1\n",
        "data/files.py": '"""Files."""\nimport os\n',
        "hints.py": "HINT = 'a'\n",
        "__init__.py": "import vaecourse.hints\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(source, "ROOT", tmp_path)
    return tmp_path


def _hash():
    return source.source_hash.__wrapped__("vaecourse.train")


def test_what_is_reached_is_what_is_imported(package):
    found = {
        path.relative_to(package).as_posix() for path in source.reached_files("vaecourse.train")
    }
    assert found == {"train.py", "model.py", "data/__init__.py", "data/files.py"}


@pytest.mark.parametrize("name", ["train.py", "model.py", "data/__init__.py", "data/files.py"])
def test_a_change_of_reached_code_is_seen(package, name):
    before, path = _hash(), package / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n# a comment\n", encoding="utf-8")
    assert _hash() == before
    path.write_text(text + "\nmore = 1\n", encoding="utf-8")
    assert _hash() != before


@pytest.mark.parametrize("name", ["hints.py", "__init__.py"])
def test_what_training_cannot_reach_trains_nothing_anew(package, name):
    before = _hash()
    (package / name).write_text("HINT = 'b'\n", encoding="utf-8")
    assert _hash() == before


def test_training_reaches_no_exercise_and_no_figure():
    found = {
        path.relative_to(source.ROOT).parts[0] for path in source.reached_files(pretrained.__name__)
    }
    assert not found & {
        "exercises",
        "plots",
        "diagrams",
        "interactive",
        "experiments",
        "commands.py",
    }
    assert {"objectives", "data"} < found


def test_dir_shows_every_public_name():
    assert set(vc.__all__) <= set(dir(vc))
    for name in vc.__all__:
        assert getattr(vc, name) is not None
    assert {"plots", "fitted", "exercises", "priors", "amortization", "training"} <= set(vc.__all__)
    assert {"load_model", "save_model"} <= set(vc.__all__)


@pytest.mark.parametrize("name", sorted({*vc._FORMER, *vc._LAZY}))
def test_a_name_leads_where_the_table_says(name):
    place, _, inside = (vc._LAZY | vc._FORMER)[name].partition(":")
    module = import_module(f"vaecourse.{place}")
    assert getattr(vc, name) is (getattr(module, inside) if inside else module)


def test_dir_shows_no_former_name():
    program = "import vaecourse as v; assert not set(v._FORMER) & set(dir(v))"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'vaecourse' has no attribute 'plot'"):
        vc.plot  # noqa: B018 - the access is the test


def test_threads_may_ask_at_the_same_time():
    """Python 3.11 fails where a second thread parses while the collector holds up a first."""
    text = (source.ROOT / "training/fitting.py").read_text(encoding="utf-8")
    usual, pause = gc.get_threshold(), lambda *_: time.sleep(0)
    gc.callbacks.append(pause)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as pool:
            codes = set(pool.map(source.code_of, [text] * 20))
    finally:
        gc.set_threshold(*usual)
        gc.callbacks.remove(pause)
    assert len(codes) == 1


FORMER = {
    "amortization.FreeEncoder": "evaluation.amortization",
    "checkpoints.load_model": "training.checkpoints",
    "classification.predict": "evaluation.classification",
    "counts.CountVAE": "models.counts",
    "disentanglement.factor_prediction": "evaluation.disentanglement",
    "estimator.VAEEmbedding": "embedding",
    "estimators.log_marginal": "evaluation.marginal",
    "history.History": "training.history",
    "negative_binomial.NegativeBinomial": "distributions.negative_binomial",
    "priors.MixturePrior": "distributions.priors",
    "recipes.Recipe": "pretrained",
    "semi_supervised.latent_batch": "models.semi_supervised",
}


@pytest.mark.parametrize("name", FORMER)
def test_a_module_that_has_moved_is_found_under_its_former_name(name):
    """In a process of its own, which has imported nothing before."""
    old, part = name.split(".")
    program = (
        f"from vaecourse.{old} import {part} as old\n"
        f"from vaecourse.{FORMER[name]} import {part} as new\n"
        f"import sys, vaecourse.{old}\n"
        f"place = 'vaecourse.{FORMER[name]}'\n"
        "assert old is new and sys.modules[place].__spec__.name == place\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
