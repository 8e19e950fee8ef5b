"""Codes by weight: the data drawn, the ellipse against its exact content, and the refusals."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from plot_examples import EXTENT

from vaecourse import plots

RNG = np.random.default_rng(3)
MEAN, COVARIANCE = np.array([0.5, -0.25]), np.array([[0.5, 0.3], [0.3, 0.4]])
AXIS = np.linspace(-3, 3, 121)
POINTS = np.stack(np.meshgrid(AXIS, AXIS, indexing="xy"), axis=-1)
OFFSET = POINTS - MEAN
SURFACE = -0.5 * np.einsum("hwi,ij,hwj->hw", OFFSET, np.linalg.inv(COVARIANCE), OFFSET)
CODES = RNG.normal(size=(30, 2))
WEIGHTS = RNG.random(30)


def draw(**changes):
    """Draw one panel, with some arguments replaced."""
    arguments = {
        "codes": {"prior": CODES},
        "weights": {"prior": WEIGHTS},
        "log_likelihood": SURFACE,
        "extent": EXTENT,
        "posterior": (MEAN, COVARIANCE),
    }
    return plots.weighted_codes(**{**arguments, **changes})


def test_every_code_is_drawn_and_its_area_is_proportional_to_its_weight():
    specks, dots = draw().axes[0].collections[-2:]
    for artist in (specks, dots):
        np.testing.assert_array_equal(artist.get_offsets(), CODES)
    areas = dots.get_sizes()
    np.testing.assert_allclose(areas / areas.max(), WEIGHTS / WEIGHTS.max())
    assert specks.get_sizes().max() < areas.max()


def test_the_unit_of_the_weights_does_not_matter():
    dots = [
        draw(weights={"prior": factor * WEIGHTS}).axes[0].collections[-1] for factor in (1, 1e-9)
    ]
    np.testing.assert_allclose(dots[0].get_sizes(), dots[1].get_sizes())


def test_the_ellipse_holds_95_percent_of_the_gaussian():
    outline = draw().axes[0].lines[0].get_xydata() - MEAN
    squared = np.einsum("mi,ij,mj->m", outline, np.linalg.inv(COVARIANCE), outline)
    np.testing.assert_allclose(1 - np.exp(-squared / 2), 0.95)
    area = 0.5 * abs(np.sum(outline[:-1, 0] * outline[1:, 1] - outline[1:, 0] * outline[:-1, 1]))
    exact = np.pi * squared[0] * np.sqrt(np.linalg.det(COVARIANCE))
    assert area == pytest.approx(exact, rel=1e-3)


def test_the_contours_lie_one_two_and_three_standard_deviations_out():
    contours = draw().axes[0].collections[0]
    for path, count in zip(contours.get_paths(), (3, 2, 1), strict=True):
        offset = path.vertices - MEAN
        squared = np.einsum("mi,ij,mj->m", offset, np.linalg.inv(COVARIANCE), offset)
        np.testing.assert_allclose(np.sqrt(squared), count, rtol=0.02)


def test_panels_keep_their_order_and_share_one_legend():
    figure = draw(
        codes={"prior": CODES, "posterior": CODES[:5]},
        weights={"posterior": WEIGHTS[:5], "prior": WEIGHTS},
    )
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["prior", "posterior"]
    assert len(figure.axes[1].collections[-1].get_offsets()) == 5
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["a code, by weight", "likelihood", "95 % of the posterior"]
    assert to_rgba(figure.axes[0].lines[0].get_color()) == to_rgba(plots.ACCENT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes": {}}, "the same titles"),
        ({"weights": {"other": WEIGHTS}}, "the same titles"),
        ({"weights": {"prior": WEIGHTS[:3]}}, "one per weight"),
        ({"weights": {"prior": WEIGHTS - 5}}, "are they logarithms"),
        ({"weights": {"prior": 0 * WEIGHTS}}, "not all 0"),
        ({"codes": {"prior": RNG.normal(size=(30, 3))}}, "one per weight"),
        ({"posterior": (MEAN, -COVARIANCE)}, "positive definite"),
        ({"posterior": (np.zeros(3), COVARIANCE)}, "covariance"),
        ({"extent": (3, -3, -3, 3)}, "extent"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        draw(**changes)
