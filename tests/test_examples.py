"""The examples in docstrings: each prints what it says, and what a learner meets first has one."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest
import torch

MODULES = (
    *("distributions", "models", "objectives", "divergences", "evaluation", "latents"),
    *("schedules", "data", "data.labels", "training", "embedding"),
)
FIRST = (
    *("load", "Batch", "data.labels.label_subset", "data.labels.dynamic_binarization"),
    *("Bernoulli", "Gaussian", "GaussianFixedScale", "StandardNormal"),
    *("VAE", "mlp_vae", "conv_vae", "linear_vae", "mlp_autoencoder", "mlp_m2"),
    *("objectives.elbo", "objectives.iwae", "objectives.m2"),
    *("divergences.kl", "divergences.sampled_kl"),
    *("fit", "linear_schedule", "warmup_cosine", "VAEEmbedding", "latents.interpolate"),
    *("evaluation.evaluate", "evaluation.embed", "evaluation.reconstruct"),
    *("evaluation.log_marginal", "load_model"),
)


def public_names(module):
    """Return what a module offers: its list, or else what it defines without an underscore."""
    defined = (n for n, v in vars(module).items() if inspect.getmodule(v) is module and n[0] != "_")
    return getattr(module, "__all__", None) or sorted(defined)


def documented():
    """Yield every public function and class once, under the shortest name that it has."""
    seen = set()
    for place in ("", *MODULES):
        module = import_module(f"vaecourse.{place}".rstrip("."))
        # What the exercises ask for is not to be found in examples; nor need they be imported.
        for name in sorted(set(public_names(module)) - {"exercises"}):
            value = getattr(module, name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and value not in seen:
                seen.add(value)
                yield f"{place}.{name}".lstrip("."), value


def examples():
    """Return the examples by dotted name, those of methods too; each can be typed as it stands."""
    finder = doctest.DocTestFinder()
    found = (test for name, value in documented() for test in finder.find(value, name, globs={}))
    return {test.name: test for test in found if test.examples}


EXAMPLES = examples()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_prints_what_it_says(name):
    said = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = doctest.DocTestRunner(verbose=False).run(EXAMPLES[name], out=said.append)
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("name", FIRST)
def test_what_a_learner_meets_first_has_an_example(name):
    assert name in EXAMPLES


def test_an_example_that_prints_something_else_would_be_found():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    result = doctest.DocTestRunner(verbose=False).run(wrong, out=lambda text: None)
    assert result.failed == 1


def test_examples_are_short():
    assert all(2 <= len(test.examples) <= 6 for test in EXAMPLES.values())


def test_no_example_goes_without_a_run(repository):
    """Those of `strokes` stay out: the bytes of its file are the version of the drawn digits."""
    package = repository / "vaecourse"
    sources = (path for path in package.rglob("*.py") if ">>> " in path.read_text("utf-8"))
    places = [(test.filename, test.lineno) for test in EXAMPLES.values()]
    assert len(places) == len(set(places))
    left = {path.name for path in sources} - {Path(filename).name for filename, _ in places}
    assert left <= {"strokes.py"}
