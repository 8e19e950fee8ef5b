"""The Python face of the live figures: what a notebook gets, and what is refused."""

import json
import re
import shutil
import subprocess

import pytest
import torch

import vaecourse as vae
from tests import interactive_examples as examples
from vaecourse import interactive
from vaecourse.interactive import bundle


@pytest.mark.parametrize("name", examples.FIGURES)
def test_a_built_page_gets_html_and_nothing_of_a_widget(monkeypatch, name):
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    shown = examples.FIGURES[name]()._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    text = shown["text/html"]
    assert f'data-figure="{name}"' in text
    assert not re.search(
        r'(?:src|href)="(?!data:)|https?://(?!www\.w3\.org/2000/svg)|@import', text
    )


def test_a_notebook_gets_a_widget_whose_state_python_reads_and_sets(monkeypatch):
    pytest.importorskip("anywidget")
    monkeypatch.delenv("VAECOURSE_STATIC", raising=False)
    figure = examples.FIGURES["elbo-gap"]()
    before = figure.state["deviation"]
    bundle, _ = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle and "text/html" not in bundle
    figure.state = {"mean": 0.25}
    assert figure.state == {"mean": 0.25, "deviation": before}
    assert figure._widget.state["mean"] == 0.25
    with pytest.raises(ValueError, match=r"keys \['deviation', 'mean'\], got \['width'\]"):
        figure.state = {"width": 1.0}


def test_a_state_set_in_python_is_where_a_page_starts(monkeypatch):
    figure = examples.FIGURES["monte-carlo"]()
    figure.state = {"latentDim": 3}
    values = re.search(r"<script[^>]*data-values>(.*?)</script>", figure.html()).group(1)
    assert json.loads(values)["state"]["latentDim"] == 3


@pytest.mark.parametrize("name", examples.FIGURES)
def test_a_module_is_valid_and_its_files_are_small(name, tmp_path):
    text = bundle.module(name)
    assert len(text) < 60_000
    for path in (bundle.files("vaecourse.interactive") / "source").iterdir():
        assert len(path.read_text(encoding="utf-8").splitlines()) < 200
    if shutil.which("node"):
        (tmp_path / "module.mjs").write_text(text, encoding="utf-8")
        subprocess.run(["node", "--check", tmp_path / "module.mjs"], check=True)


def test_what_no_figure_can_show_is_refused():
    oracle, x = examples.reading()
    _, plain = examples.models()
    test = examples.digits()
    with pytest.raises(ValueError, match=r"scale must lie between 0\.05 and"):
        interactive.marginal(examples.Spiral(), scale=3.0)
    with pytest.raises(ValueError, match=r"points \(K, 2\), got \(401, 1\)"):
        interactive.marginal(torch.nn.Identity())
    with pytest.raises(ValueError, match="latent_dim between 1 and 50, got 64 and 60"):
        interactive.monte_carlo(latent_dim=60)
    with pytest.raises(ValueError, match="needs latent_dim 1"):
        interactive.gradients(vae.LinearGaussian.random(3, 2), x)
    with pytest.raises(ValueError, match="log p\\(x\\) must be negative"):
        interactive.elbo_gap(vae.LinearGaussian(oracle.weight, oracle.bias, 0.01), x * 0)
    with pytest.raises(ValueError, match="needs a VAE"):
        interactive.draw_a_digit(plain, test, test.x)
    large = vae.conv_vae((1, 28, 28), 2)
    with pytest.raises(ValueError, match="must be an MLP with ReLU units, got ConvDecoder"):
        interactive.latent_explorer(large, plain, test, test.x, (0, 1))
    wide = vae.mlp_vae((1, 28, 28), 3)
    with pytest.raises(ValueError, match="2 latent dimensions"):
        interactive.draw_a_digit(wide, test, test.x)
    unlabelled = vae.Batch(test.x, torch.full_like(test.y, -1))
    with pytest.raises(ValueError, match="some have none"):
        interactive.style_content(examples.stacked(), unlabelled, [0])
