"""Draw the cover, the logo and the favicon: a Gaussian cloud of codes bent into a curved manifold.

Run `python tools/draw_cover.py`; it writes three small SVG files to book/_static.

Codes are laid out by the golden angle at the radii of a standard 2-D Gaussian, so the cloud has the
prior's density without the clumps of a random sample. The map f(z) rolls the plane into an S.
"""

import math
from itertools import pairwise
from pathlib import Path

from vaecourse.runtime.files import check_writable, write_whole

STATIC = Path(__file__).parent.parent / "book" / "_static"
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
# Teal to violet to coral. Mid tones, so that the drawing stands on white and on black.
STOPS = [(0.0, (8, 150, 160)), (0.5, (133, 112, 210)), (1.0, (232, 104, 84))]
INK = "#7d8797"


def color(position):
    """Return the hex color at ``position``, from 0 to 1, along the stops."""
    position = min(max(position, 0.0), 1.0)
    for (low, first), (high, second) in pairwise(STOPS):
        if position <= high:
            part = (position - low) / (high - low)
            channels = (round(a + part * (b - a)) for a, b in zip(first, second, strict=True))
            return "#" + "".join(f"{channel:02x}" for channel in channels)
    raise ValueError(f"position must be a number, got {position}")


def gaussian_cloud(count):
    """Return ``count`` points (z1, z2) whose radii are the quantiles of a 2-D Gaussian."""
    points = []
    for index in range(count):
        radius = math.sqrt(-2 * math.log(1 - (index + 0.5) / (count + 2)))
        angle = index * GOLDEN_ANGLE
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    return points


def manifold(z1, z2):
    """Map a code to a point in the drawing's plane: an S-shaped sheet seen from above its edge.

    Returns the two coordinates and the depth, larger being nearer.
    """
    turn = 4.3 * math.tanh(z1 / 1.9) / 1.35
    x = 1.25 * math.sin(turn) + 0.42 * turn
    y = math.copysign(math.cos(turn) - 1, turn)
    depth = z2
    return x + 0.50 * depth, y - 0.34 * depth, depth


def circle(x, y, radius, fill, opacity=1.0):
    """Return one SVG circle."""
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
    return f'<circle {place} fill="{fill}" opacity="{opacity:.2f}"/>'


def line(points, stroke, width, opacity):
    """Return one SVG polyline."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = f'stroke="{stroke}" stroke-width="{width}" opacity="{opacity}" stroke-linecap="round"'
    return f'<polyline points="{path}" fill="none" stroke-linejoin="round" {style}/>'


def svg(width, height, parts, title):
    """Return a whole SVG document."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, f"<title>{title}</title>", *parts, "</svg>", ""])


def sheet(place, steps=(-2.4, -1.8, -1.2, -0.6, 0, 0.6, 1.2, 1.8, 2.4)):
    """Return the faint grid of the curved sheet."""
    fine = [-2.6 + 5.2 * index / 80 for index in range(81)]
    along = [line([place(a, b) for a in fine], INK, 0.8, 0.5) for b in steps]
    across = [line([place(a, b) for b in (-2.4, 2.4)], INK, 0.8, 0.5) for a in steps]
    return along + across


def cover():
    """Return the wide drawing on the welcome page."""
    left, right, middle, scale = 235.0, 855.0, 185.0, 66.0

    def flat(z1, z2):
        return left + scale * z1, middle - scale * z2

    def curved(z1, z2):
        x, y, _ = manifold(z1, z2)
        return right + 66 * x, middle - 66 * y

    parts = [
        f'<circle cx="{left}" cy="{middle}" r="{scale * radius}" fill="none" stroke="{INK}" '
        f'stroke-width="0.7" opacity="0.45"/>'
        for radius in (1, 2)
    ]
    parts += sheet(curved)
    points = [point for point in gaussian_cloud(420) if math.hypot(*point) < 2.6]
    for z1, z2 in points:
        parts.append(circle(*flat(z1, z2), 3.1, color(0.5 + z1 / 4.4), 0.9))
    for z1, z2 in sorted(points, key=lambda point: point[1]):
        size = 3.0 - 0.35 * z2
        parts.append(circle(*curved(z1, z2), size, color(0.5 + z1 / 4.4), 0.92))
    arc = f"M440 {middle} C480 {middle - 34} 530 {middle - 34} 566 {middle - 6}"
    tip = f"M553 {middle - 20} L568 {middle - 4} L546 {middle - 4.5}"
    parts.append(f'<path d="{arc} {tip}" fill="none" stroke="{INK}" stroke-width="2"/>')
    text = f'font-family="Georgia, serif" font-style="italic" font-size="22" fill="{INK}"'
    parts.append(f'<text x="492" y="{middle - 40}" {text}>f</text>')
    title = "A Gaussian cloud of codes, bent by a decoder into a curved sheet"
    return svg(1140, 370, parts, title)


def mark(size, count, radius, width):
    """Return the logo: the sheet's profile with the cloud upon it."""

    def place(z1, z2):
        x, y, _ = manifold(z1, z2)
        return size / 2 + size * 0.2 * x, size / 2 - size * 0.24 * y

    fine = [-2.6 + 5.2 * index / 60 for index in range(61)]
    parts = []
    for step in range(60):
        ends = [place(fine[step], 0), place(fine[step + 1], 0)]
        parts.append(line(ends, color(0.5 + fine[step] / 4.4), width, 1))
    for z1, z2 in gaussian_cloud(count):
        x, y = place(z1, 0.6 * z2)
        if radius <= min(x, y) and max(x, y) <= size - radius:
            parts.append(circle(x, y, radius, color(0.5 + z1 / 4.4), 0.85))
    return svg(size, size, parts, "Dots along a curve")


def main():
    """Write the three files."""
    for name in ("cover.svg", "logo.svg", "favicon.svg"):
        check_writable(STATIC / name)
    drawings = {
        "cover.svg": cover(),
        "logo.svg": mark(96, 46, 2.0, 4.2),
        "favicon.svg": mark(32, 0, 0, 4.6),
    }
    for name, text in drawings.items():
        write_whole(STATIC / name, text)


if __name__ == "__main__":
    main()
