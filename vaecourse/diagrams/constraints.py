"""What a prediction constraint and a consistency constraint ask of a code."""

from vaecourse.diagrams.svg import ACCENT, CORAL, Diagram, arrow, box, circle, funnel, hat, text

__all__ = ["consistency_diagram"]


def consistency_diagram() -> Diagram:
    """Draw the two passes of a consistency-constrained VAE (Hope et al., 2020).

    Returns
    -------
    Diagram
        Drawing 700 by 280.
    """
    return Diagram(
        700,
        280,
        "Prediction and consistency constraints",
        "An encoder turns the image x into a code z, and a decoder turns z into a reconstruction "
        "x hat. Without a gradient, x hat passes through the same encoder once more and gives a "
        "second code, z hat. One classifier reads both codes. Its prediction from z must match the "
        "label y, where there is one, and its prediction from z hat must match that from z.",
        (*_two_passes(84), *_two_predictions(212)),
    )


def _two_passes(y: int) -> list[str]:
    """Return encoder, decoder and, after a break in the gradient, the encoder again."""
    return [
        box(40, y, 52, 96),
        text(40, y, "$*x*$", size=20),
        arrow([(66, y), (86, y)]),
        funnel(137, y, 102, 104, 52),
        text(137, y, "encoder", size=16),
        arrow([(188, y), (208, y)]),
        circle(234, y, 26, stroke=ACCENT, fill=ACCENT),
        text(234, y, "$*z*$", size=20),
        arrow([(260, y), (280, y)]),
        funnel(331, y, 102, 52, 104),
        text(331, y, "decoder", size=16),
        arrow([(382, y), (402, y)]),
        box(428, y, 52, 96),
        text(428, y, "$*x*$", size=20),
        hat(430, y - 14),
        arrow([(454, y), (494, y)], dashed=True),
        text(474, y - 62, "no gradient", size=14),
        funnel(545, y, 102, 104, 52),
        text(545, y, "encoder", size=16),
        arrow([(596, y), (616, y)]),
        circle(642, y, 26, stroke=ACCENT, fill=ACCENT),
        text(642, y, "$*z*$", size=20),
        hat(643, y - 13),
    ]


def _two_predictions(y: int) -> list[str]:
    """Return the label and the two predictions, with what is asked of each pair."""
    return [
        circle(40, y, 26, stroke=CORAL, fill=CORAL),
        text(40, y, "$*y*$", size=20),
        arrow([(234, 110), (234, y - 24)]),
        box(234, y, 100, 48),
        text(234, y, "$*p*(*y* | *z*)$", size=16),
        arrow([(184, y), (66, y)], color=CORAL, dashed=True),
        text(125, y - 16, "prediction", size=14),
        text(125, y + 46, "where there is a label", size=14),
        arrow([(642, 110), (642, y - 24)]),
        box(642, y, 100, 48),
        text(648, y, "$*p*(*y* |$", size=16, anchor="end"),
        text(656, y, "$*z*$", size=16),
        hat(657, y - 10),
        text(663, y, "$)$", size=16, anchor="start"),
        arrow([(592, y), (284, y)], color=CORAL, dashed=True),
        text(438, y - 16, "consistency", size=14),
        text(438, y + 46, "with or without a label", size=14),
    ]
