"""What a figure draws is the data it was given, at the right place and in the right color."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from plot_examples import (
    AXIS,
    BARS,
    CODES,
    COLOR,
    CONDITIONALS,
    CURVE,
    EXAMPLES,
    EXTENT,
    GRAY,
    GRID,
    HISTORY,
    LABELS,
    RNG,
    ROWS,
    TERMS,
)
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from vaecourse import plots
from vaecourse.latents import manifold_grid


def test_images_draws_the_pixels_in_reading_order():
    axes = plots.images(GRAY, columns=5).axes[0]
    assert len(axes.images) == 12
    for index, artist in enumerate(axes.images):
        np.testing.assert_array_equal(artist.get_array(), GRAY[index, 0])
        left, right, bottom, top = artist.get_extent()
        assert (int(left), int(top)) == (index % 5, index // 5)
        assert artist.get_clim() == (0, 1)
        assert bottom > top  # the first row of pixels is on top
        assert right > left


def test_ink_is_one_and_paper_is_zero():
    artist = plots.images(np.array([[[0.0, 1.0]]])).axes[0].images[0]
    np.testing.assert_allclose(artist.to_rgba(np.array([0.0, 1.0]))[:, :3], [[1] * 3, [0] * 3])


def test_color_images_keep_their_channels():
    axes = plots.images(torch.tensor(COLOR)).axes[0]
    for artist, expected in zip(axes.images, COLOR, strict=True):
        np.testing.assert_array_equal(artist.get_array(), np.moveaxis(expected, 0, -1))


def test_rows_of_images_are_labelled():
    axes = plots.reconstructions(GRAY[:3], {"VAE": GRAY[3:6]}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["original", "VAE"]
    for artist, expected in zip(axes.images, GRAY[:6, 0], strict=True):
        np.testing.assert_array_equal(artist.get_array(), expected)


def test_a_tensor_with_a_gradient_is_detached_and_stays_as_it_was():
    z = torch.randn(20, 2, requires_grad=True)
    scatter = plots.latent_scatter(z * 1, torch.arange(20) % 10).axes[0].collections[0]
    drawn = np.asarray(scatter.get_offsets())
    expected = z.detach().double().numpy()
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    assert z.requires_grad


def test_half_precision_tensors_are_drawn():
    picture = torch.full((1, 1, 2, 2), 0.5, dtype=torch.bfloat16)
    np.testing.assert_array_equal(plots.images(picture).axes[0].images[0].get_array(), 0.5)


def test_latent_scatter_gives_each_point_the_color_of_its_digit():
    scatter = plots.latent_scatter(CODES[:, :2], LABELS).axes[0].collections[0]
    pairs = zip(scatter.get_offsets(), scatter.get_facecolors(), strict=True)
    color_at = {tuple(point): tuple(color[:3]) for point, color in pairs}
    for point, label in zip(CODES[:, :2], LABELS, strict=True):
        assert color_at[tuple(point)] == to_rgba(plots.DIGITS[label])[:3]


def test_scatter_pairs_shows_each_pair_once():
    figure = plots.scatter_pairs(CODES, LABELS)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    pairs = [(j, i + 1) for i in range(3) for j in range(i + 1)]
    for axes, (across, up) in zip(shown, pairs, strict=True):
        drawn = np.asarray(axes.collections[0].get_offsets())
        expected = CODES[:, [across, up]]
        np.testing.assert_array_equal(drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)])


def test_latent_histograms_hold_every_point():
    figure = plots.latent_histograms(CODES, LABELS)
    for dim, axes in enumerate(axes for axes in figure.axes if axes.get_visible()):
        total = np.zeros(40)
        for label, patch in enumerate(axes.patches):
            top, edges, base = patch.get_data()
            counts = (top - base) * len(CODES) * np.diff(edges)
            mine = CODES[np.equal(LABELS, label), dim]
            np.testing.assert_allclose(counts, np.histogram(mine, edges)[0], atol=1e-9)
            assert to_rgba(patch.get_facecolor()) == to_rgba(plots.DIGITS[label])
            total += counts
        assert total.sum() == pytest.approx(len(CODES))
        x, density = axes.lines[0].get_data()
        expected = torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(x)).exp()
        np.testing.assert_allclose(density, expected)


def test_manifold_places_tiles_where_their_codes_are():
    tiles, codes = RNG.random((7, 7, 1, 4, 4)), manifold_grid(7).numpy()
    axes = plots.manifold(tiles, codes).axes[0]
    for index, artist in enumerate(axes.images):
        np.testing.assert_array_equal(artist.get_array(), tiles[index // 7, index % 7, 0])
        left, _, _, top = artist.get_extent()
        assert (left, top) == (index % 7, index // 7)
    centers = np.arange(7) + 0.5
    for place, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        value = float(text.get_text().replace("−", "-"))
        assert np.interp(value, codes[0, :, 0], centers) == pytest.approx(place)
    heights = [float(text.get_text().replace("−", "-")) for text in axes.get_yticklabels()]
    up = np.argsort(axes.get_yticks())[::-1]  # the y axis of a picture points down
    assert (np.diff(np.array(heights)[up]) > 0).all()


def test_spectrum_agrees_with_scikit_learn():
    pca = PCA().fit(load_digits().data)
    shuffled = np.random.default_rng(0).permutation(pca.explained_variance_)
    scree, cumulative = plots.spectrum(shuffled, thresholds=(0.5, 0.9)).axes
    np.testing.assert_allclose(scree.lines[0].get_ydata(), pca.explained_variance_)
    expected = 100 * np.cumsum(pca.explained_variance_ratio_)
    np.testing.assert_allclose(cumulative.lines[0].get_ydata(), expected)
    needed = [PCA(part).fit(load_digits().data).n_components_ for part in (0.5, 0.9)]
    texts = [text.get_text() for text in cumulative.texts]
    assert texts == [f"50 %: {needed[0]}", f"90 %: {needed[1]}"]


def test_curves_draws_lines_bands_and_references():
    axes = EXAMPLES["curves"]().axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_data(), [[2, 10, 50], [9, 5, 3]])
    np.testing.assert_array_equal(axes.lines[2].get_ydata(), [10, 10])
    band = axes.collections[0].get_paths()[0].vertices
    assert {(2.0, 8.0), (2.0, 10.0), (50.0, 2.0), (50.0, 4.0)} <= set(map(tuple, band))
    assert [text.get_text() for text in axes.texts] == ["PCA", "linear", "mean image"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "10", "50"]


def test_curves_takes_an_x_for_each_line():
    axes = plots.curves(
        {"a": [0, 1], "b": [0, 1, 2]}, {"a": [1, 2], "b": [3, 4, 5]}, "s", "nats"
    ).axes[0]
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [0, 1, 2])


def test_curves_puts_whole_numbers_on_an_axis_of_whole_numbers():
    for x in ([0, 1, 2, 3, 4, 5], [1, 2, 3], {"a": [10, 20, 40]}):
        length = len(x["a"]) if isinstance(x, dict) else len(x)
        axes = plots.curves(x, {"a": np.arange(length)}, "epoch", "nats").axes[0]
        assert len(axes.get_xticks()) > 1
        assert (axes.get_xticks() % 1 == 0).all()
    fractions = plots.curves([0, 0.25, 0.5], {"a": [1, 2, 3]}, "$s$", "nats").axes[0]
    assert (fractions.get_xticks() % 1 != 0).any()


def test_history_draws_every_step_its_running_mean_and_validation():
    figure = plots.history(HISTORY)
    for axes, (name, values) in zip(figure.axes, TERMS.items(), strict=True):
        raw, mean, dots = axes.lines
        np.testing.assert_array_equal(raw.get_data(), [np.arange(1, 201), values])
        expected = np.convolve(values, np.ones(4) / 4, "valid")
        np.testing.assert_allclose(mean.get_ydata(), expected)
        assert mean.get_xdata()[-1] == 200
        assert axes.get_title(loc="left") == f"{name} (nats)"
        if name == "reconstruction":
            np.testing.assert_array_equal(dots.get_data(), [[100, 200], [-0.6, -0.4]])


def test_history_takes_a_plain_mapping():
    assert len(plots.history(TERMS, ["kl"]).axes) == 1


def test_density_is_drawn_upright():
    axes = plots.density_2d(GRID, EXTENT, points=CODES[:, :2]).axes[0]
    image = axes.images[0]
    np.testing.assert_array_equal(image.get_array(), GRID)
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == EXTENT
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), CODES[:, :2])


def test_log_density_shows_ten_nats():
    image = plots.density_2d(np.log(GRID), EXTENT, log=True).axes[0].images[0]
    assert image.get_clim() == pytest.approx((np.log(GRID).max() - 10, np.log(GRID).max()))


def test_density_panels_share_their_axes():
    one, two = plots.density_panels({"one": GRID, "two": GRID.T}, EXTENT).axes
    np.testing.assert_array_equal(one.images[0].get_array(), GRID)
    np.testing.assert_array_equal(two.images[0].get_array(), GRID.T)


def test_marginal_is_the_weighted_sum_of_its_conditionals():
    *parts, marginal = plots.marginal_1d(AXIS, CONDITIONALS, [0.2, 0.3, 0.5]).axes[0].lines
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)),
        torch.distributions.Normal(torch.tensor([-1.0, 0.0, 1.5], dtype=torch.float64), 1.0),
    )
    np.testing.assert_allclose(marginal.get_ydata(), mixture.log_prob(torch.tensor(AXIS)).exp())
    np.testing.assert_allclose(sum(part.get_ydata() for part in parts), marginal.get_ydata())


def test_marginal_2d_draws_prior_curve_and_density():
    prior, curve, marginal = plots.marginal_2d(AXIS, CURVE, 0.3, GRID, EXTENT).axes
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(AXIS)).exp()
    np.testing.assert_allclose(prior.lines[0].get_ydata(), expected)
    np.testing.assert_array_equal(np.transpose(curve.lines[0].get_data()), CURVE)
    np.testing.assert_array_equal(marginal.images[0].get_array(), GRID)
    circles = curve.collections[0]
    np.testing.assert_allclose(circles.get_widths(), 0.6)  # one standard deviation either way


def test_terms_stacks_bars_to_the_total():
    axes = plots.terms(BARS).axes[0]
    for index, row in enumerate(BARS.values()):
        first, second = (bars[index] for bars in axes.containers)
        assert first.get_width() == row["distortion"]
        assert second.get_width() == row["rate"]
        assert second.get_x() == row["distortion"]
    texts = {text.get_text() for text in axes.texts}
    assert {"76.0", "25.0", "101.0", "115.5  (rate 0.5)"} <= texts


def test_activity_counts_units_above_the_threshold():
    axes = plots.activity(torch.tensor([0.002, 0.9, 0.0, 0.5])).axes[0]
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], [0.9, 0.5, 0.002, 0])
    assert axes.get_title(loc="left") == "2 of 4 units active"
    accent = [to_rgba(bar.get_facecolor()) == to_rgba(plots.ACCENT) for bar in axes.patches]
    assert accent == [True, True, False, False]


def test_comparison_draws_values_and_intervals():
    axes = plots.comparison(ROWS, highlight=["ours"]).axes[0]
    dots = [container.lines[0].get_xdata()[0] for container in axes.containers]
    assert dots == [86.76, 88.1, 87.5]
    spans = [container.lines[2][0].get_segments()[0][:, 0] for container in axes.containers]
    np.testing.assert_allclose(spans, [[86.76, 86.76], [87.9, 88.3], [87.0, 88.3]])
    assert [text.get_text() for text in axes.texts] == ["86.8", "88.1 ± 0.2", "87.5"]
    assert [text.get_text() for text in axes.get_yticklabels()] == [name for name, _, _ in ROWS]


def test_unlabelled_points_are_gray():
    figure = plots.latent_scatter(CODES[:3, :2], [-1, -1, 0])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["none", "0"]
