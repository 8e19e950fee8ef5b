"""The two architectures: the autoencoder and its probabilistic sister."""

from vaecourse.diagrams.svg import ACCENT, CORAL, Diagram, arrow, box, circle, funnel, hat, text

__all__ = ["autoencoder_diagram", "vae_diagram"]


def autoencoder_diagram() -> Diagram:
    """Draw an autoencoder: encoder, code, decoder, and the error between input and output.

    Returns
    -------
    Diagram
        Drawing 640 by 200.
    """
    y = 80
    parts = [
        box(42, y, 64, 104),
        text(42, y, "$*x*$", size=20),
        arrow([(74, y), (112, y)]),
        funnel(175, y, 126, 116, 52),
        text(175, y - 11, "encoder"),
        text(175, y + 13, "$*h*_{*ϕ*}$"),
        arrow([(238, y), (289, y)]),
        circle(316, y, 27, stroke=ACCENT, fill=ACCENT),
        text(316, y, "$*z*$", size=20),
        arrow([(343, y), (389, y)]),
        funnel(452, y, 126, 52, 116),
        text(452, y - 11, "decoder"),
        text(452, y + 13, "$*f*_{*θ*}$"),
        arrow([(515, y), (562, y)]),
        box(595, y, 64, 104),
        text(595, y, "$*x*$", size=20),
        hat(597, y - 14),
        text(42, y - 66, "input", size=15),
        text(316, y - 66, "code", size=15),
        text(583, y - 66, "reconstruction", size=15),
        arrow([(250, 180), (42, 180), (42, y + 56)], color=CORAL, dashed=True),
        arrow([(386, 180), (595, 180), (595, y + 56)], color=CORAL, dashed=True),
        text(318, 180, "squared error", size=15),
    ]
    return Diagram(
        640,
        200,
        "An autoencoder",
        "The input x passes through the encoder, a network that narrows, to the code z. From z, "
        "the decoder, a network that widens, makes the reconstruction x hat. Training makes the "
        "squared error between the input and the reconstruction small.",
        tuple(parts),
    )


def vae_diagram() -> Diagram:
    """Draw a variational autoencoder with the reparameterized draw of its code.

    Returns
    -------
    Diagram
        Drawing 700 by 245.
    """
    y = 118
    return Diagram(
        700,
        245,
        "A variational autoencoder",
        "The encoder, with parameters phi, turns the input x into a mean mu and a scale sigma: the "
        "distribution q of z given x. A draw epsilon from a standard normal distribution gives the "
        "code z equals mu plus sigma times epsilon. The decoder, with parameters theta, turns z "
        "into a distribution p of x given z over images.",
        (*_posterior(y), *_likelihood(y)),
    )


def _posterior(y: int) -> list[str]:
    """Return the encoder, the distribution it makes, and the draw from it."""
    return [
        box(38, y, 56, 104),
        text(38, y, "$*x*$", size=20),
        arrow([(66, y), (92, y)]),
        funnel(147, y, 110, 116, 72),
        text(147, y - 11, "encoder"),
        text(147, y + 13, "$*ϕ*$"),
        arrow([(202, y - 20), (236, y - 32)]),
        arrow([(202, y + 20), (236, y + 32)]),
        box(258, y - 36, 44, 44, stroke=ACCENT, fill=ACCENT),
        text(258, y - 36, "$*μ*$", size=19),
        box(258, y + 36, 44, 44, stroke=ACCENT, fill=ACCENT),
        text(258, y + 36, "$*σ*$", size=19),
        arrow([(280, y - 32), (306, y - 15)]),
        arrow([(280, y + 32), (306, y + 15)]),
        box(368, y, 124, 48, stroke=ACCENT, fill=ACCENT),
        text(368, y, "$*z* = *μ* + *σ* ⊙ *ϵ*$", size=15),
        circle(368, 34, 23, stroke=CORAL, fill=CORAL),
        text(368, 34, "$*ϵ*$", size=19),
        text(399, 34, "$∼ *N*(0, *I*)$", size=16, anchor="start"),
        arrow([(368, 57), (368, y - 24)], color=CORAL),
        text(290, 206, "$*q*_{*ϕ*}(*z* | *x*) = *N*(*μ*, *σ*²)$", size=16),
        text(290, 230, "a distribution over codes", size=14),
    ]


def _likelihood(y: int) -> list[str]:
    """Return the decoder and the distribution it makes."""
    return [
        arrow([(430, y), (457, y)]),
        funnel(512, y, 110, 72, 116),
        text(512, y - 11, "decoder"),
        text(512, y + 13, "$*θ*$"),
        arrow([(567, y), (594, y)]),
        box(642, y, 96, 104, stroke=ACCENT, fill=ACCENT),
        text(642, y, "$*p*_{*θ*}(*x* | *z*)$"),
        text(690, 206, "a distribution over images", size=14, anchor="end"),
    ]
