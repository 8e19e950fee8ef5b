"""The colors differ for normal and for color-blind eyes and show on white and on dark paper."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from vaecourse.plots import ACCENT, DIGITS, SERIES
from vaecourse.plots.palette import INK, MUTED, PAPER, SHAPES
from vaecourse.plots.show import DARK_FILTER

ROOT = Path(__file__).resolve().parent.parent
STYLES = (ROOT / "book/_static/course.css").read_text(encoding="utf-8")

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)


# CSS Filter Effects: hue-rotate of half a turn, for the channels as they are written.
HALF_A_TURN = 2 * np.array([[0.213, 0.715, 0.072]] * 3) - np.eye(3)


def darkened(color):
    """Return what the filter of a dark page makes of a color."""
    amount = float(re.fullmatch(r"invert\((0\.\d+)\) hue-rotate\(180deg\)", DARK_FILTER)[1])
    inverted = amount + np.array(to_rgb(color)) * (1 - 2 * amount)
    return tuple(np.clip(HALF_A_TURN @ inverted, 0, 1))


def linear(color):
    """Return linear RGB of a color."""
    channels = np.array(to_rgb(color))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIELAB of linear RGB."""
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one, two):
    """Return the color difference of Sharma, Wu & Dalal (2005)."""
    mean_chroma = (np.hypot(*one[1:]) + np.hypot(*two[1:])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    (a1, b1), (a2, b2) = (one[1] * stretch, one[2]), (two[1] * stretch, two[2])
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    hue = (h1 + turn / 2) % 360
    light, chroma = (one[0] + two[0]) / 2, (c1 + c2) / 2
    weight = sum(
        part * np.cos(np.radians(times * hue + shift))
        for part, times, shift in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    )
    t = 1 + weight
    d_light = (two[0] - one[0]) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    d_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    rotation = 2 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    rotation *= -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(d_light**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue)


def luminance(color):
    """Return the relative luminance of WCAG 2."""
    return linear(color) @ TO_XYZ[1]


def contrast_with_white(color):
    """Return the contrast ratio of WCAG 2."""
    return 1.05 / (luminance(color) + 0.05)


def contrast_on_a_dark_page(color):
    """Return the contrast ratio of WCAG 2 of a filtered color on the book's dark page."""
    page = re.search(r'"dark"\] \{.*?--pst-color-background: (#\w{6})', STYLES, re.DOTALL)[1]
    return (luminance(darkened(color)) + 0.05) / (luminance(page) + 0.05)


@pytest.mark.parametrize(
    ("one", "two", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_reproduces_its_published_values(one, two, published):
    assert ciede2000(np.array(one), np.array(two)) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(
    ("vision", "paper", "dark"),
    [("normal", 21, 19), ("protanopia", 16, 11), ("deuteranopia", 16, 11), ("tritanopia", 16, 11)],
)
def test_any_two_digits_differ(vision, paper, dark):
    assert len(DIGITS) == len(set(SHAPES)) == 10
    for page, least in ((to_rgb, paper), (darkened, dark)):
        seen = [lab(VISION[vision] @ linear(page(color))) for color in DIGITS]
        assert min(ciede2000(a, b) for a, b in combinations(seen, 2)) >= least


@pytest.mark.parametrize("pair", ["49", "79", "35", "38", "58", "27", "17"])
def test_digits_that_are_taken_for_one_another_differ_more(pair):
    one, two = (lab(linear(DIGITS[int(digit)])) for digit in pair)
    assert ciede2000(one, two) >= 33


def test_the_live_figures_have_the_same_digits():
    script = (ROOT / "vaecourse/interactive/source/core.js").read_text(encoding="utf-8")
    for name, page in (("LIGHT", to_rgb), ("DARK", darkened)):
        found = re.findall(r"#\w{6}", re.search(rf"const {name}_DIGITS = (.*?);", script, re.S)[1])
        assert found == [to_hex(page(color)) for color in DIGITS]


def test_the_book_turns_figures_as_other_pages_do():
    assert f"filter: {DARK_FILTER};" in STYLES


@pytest.mark.parametrize("color", DIGITS)
def test_digits_show_on_paper_and_on_a_dark_page(color):
    assert contrast_with_white(color) >= 2
    assert contrast_on_a_dark_page(color) >= 2


@pytest.mark.parametrize("color", SERIES)
def test_lines_reach_the_contrast_of_graphics(color):
    assert contrast_with_white(color) >= 3
    assert contrast_on_a_dark_page(color) >= 3


@pytest.mark.parametrize("color", [ACCENT, INK, MUTED])
def test_text_reaches_the_contrast_of_text(color):
    assert contrast_with_white(color) >= 4.5
    assert contrast_on_a_dark_page(color) >= 4.5


def test_paper_is_no_slab_on_a_dark_page():
    assert contrast_on_a_dark_page(PAPER) <= 1.05
