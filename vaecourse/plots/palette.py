"""The colors of all figures, and what each of them means."""

INK = "#24292f"
MUTED = "#6b7280"
HAIRLINE = "#d5d9de"
PAPER = "#ffffff"
ACCENT = "#077a83"
SERIES = (ACCENT, "#d9533c", "#7b62c9", "#b07d00", "#3b4a5a", "#c2528b")
UNKNOWN = "#b6bcc4"  # a point without a class
# Any two of the ten lie at least 21 units of CIEDE2000 apart, and 16 for color-blind eyes; those of
# digits that are often taken for one another more. What a dark page makes of them differs, too.
DIGITS = (
    "#885bfe",
    "#ae5e06",
    "#0f4247",
    "#676358",
    "#9d7996",
    "#1c13cb",
    "#46ac7f",
    "#b5b22f",
    "#a0a9ec",
    "#771603",
)
# A class has a shape as well: of matplotlib's markers those that differ when they are small.
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*", "<", "p")
