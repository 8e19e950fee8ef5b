"""Graphical model with its plate, and the computation graph of a gradient."""

from vaecourse.diagrams.svg import ACCENT, CORAL, Diagram, arrow, box, circle, cross, text

__all__ = ["computation_graph", "plate_diagram"]


def plate_diagram() -> Diagram:
    """Draw the graphical model of a variational autoencoder, after Kingma & Welling (2014), fig. 1.

    Solid arrows are the generative model ``p(z) p(x | z)``, dashed ones the approximate posterior
    ``q(z | x)``. The prior has no parameters here.

    Returns
    -------
    Diagram
        Drawing 460 by 300.
    """
    parts = [
        box(230, 128, 150, 236, radius=16),
        text(290, 228, "$*N*$", size=17),
        circle(230, 66, 28),
        text(230, 66, "$*z*$", size=20),
        circle(230, 184, 28, stroke=ACCENT, fill=ACCENT, opacity=0.3),
        text(230, 184, "$*x*$", size=20),
        arrow([(230, 94), (230, 156)]),
        circle(374, 184, 22),
        text(374, 184, "$*θ*$", size=19),
        arrow([(352, 184), (258, 184)]),
        circle(86, 66, 22, dashed=True),
        text(86, 66, "$*ϕ*$", size=19),
        arrow([(108, 66), (202, 66)], dashed=True),
        arrow([(208, 166), (172, 140), (172, 110), (207, 84)], dashed=True, bend=True),
        arrow([(40, 276), (78, 276)]),
        text(88, 276, "model $*p*_{*θ*}(*x* | *z*) *p*(*z*)$", size=15, anchor="start"),
        arrow([(256, 276), (294, 276)], dashed=True),
        text(304, 276, "inference $*q*_{*ϕ*}(*z* | *x*)$", size=15, anchor="start"),
    ]
    return Diagram(
        460,
        298,
        "The graphical model of a variational autoencoder",
        "Inside a plate, repeated for each of N examples, an arrow leads from the latent variable "
        "z to the observed, shaded variable x. Outside the plate, the parameters theta point to x. "
        "Dashed arrows, the inference model, lead from x and from the parameters phi to z.",
        tuple(parts),
    )


def computation_graph(reparameterized: bool) -> Diagram:
    """Draw where the gradient of an expectation over z goes, with and without the trick.

    Boxes are computed, circles are drawn at random. Arrows to the right compute a value, arrows to
    the left carry its gradient.

    Parameters
    ----------
    reparameterized : bool
        Draw ``z = mu + sigma * eps`` instead of ``z ~ N(mu, sigma**2)``.

    Returns
    -------
    Diagram
        Drawing 600 wide.

    Raises
    ------
    TypeError
        If `reparameterized` is no bool.
    """
    if not isinstance(reparameterized, bool):
        raise TypeError(f"reparameterized must be True or False, got {reparameterized!r}")
    y = 132 if reparameterized else 48
    parts = [*_forward_and_backward(y), *(_through_noise(y) if reparameterized else _blocked(y))]
    shared = (
        "The parameters phi give mu and sigma, these give z, and z gives f of z. The gradient of f "
        "flows back from f to z"
    )
    if reparameterized:
        title = "The reparameterization trick: the gradient reaches phi"
        end = " and on to mu, sigma and phi, because z is computed from them and from the noise "
        end += "epsilon, which enters from the side and needs no gradient."
    else:
        title = "Without the reparameterization trick: the gradient stops at z"
        end = " and stops there: z is drawn at random, and a draw has no derivative."
    return Diagram(600, y + 90, title, shared + end, tuple(parts))


def _forward_and_backward(y: int) -> list[str]:
    """Return what both graphs share: phi, mu and sigma, f, and the gradient from f to z."""
    return [
        box(50, y, 56, 52),
        text(50, y, "$*ϕ*$", size=19),
        arrow([(78, y - 10), (142, y - 10)]),
        box(184, y, 84, 52, stroke=ACCENT, fill=ACCENT),
        text(184, y, "$*μ*, *σ*$", size=19),
        arrow([(226, y - 10), (292, y - 10)]),
        arrow([(416, y - 10), (474, y - 10)]),
        box(524, y, 100, 52, stroke=ACCENT, fill=ACCENT),
        text(524, y, "$*f*(*z*)$", size=19),
        arrow([(474, y + 12), (416, y + 12)], color=CORAL),
        text(445, y + 36, "$∇_{*z*} *f*$", size=15),
    ]


def _through_noise(y: int) -> list[str]:
    """Return z computed from noise, and the gradient that passes it."""
    return [
        box(354, y, 124, 52, stroke=ACCENT, fill=ACCENT),
        text(354, y, "$*μ* + *σ* ⊙ *ϵ*$", size=18),
        text(354, y + 44, "$*z*$, computed", size=15),
        circle(354, 42, 24, stroke=CORAL, fill=CORAL),
        text(354, 42, "$*ϵ*$", size=19),
        text(388, 42, "$∼ *N*(0, *I*)$", size=16, anchor="start"),
        arrow([(354, 66), (354, y - 26)]),
        arrow([(292, y + 12), (226, y + 12)], color=CORAL),
        arrow([(142, y + 12), (78, y + 12)], color=CORAL),
        text(188, y + 72, "the gradient flows back to $*ϕ*$", size=15),
    ]


def _blocked(y: int) -> list[str]:
    """Return z drawn at random, and the gradient that stops there."""
    return [
        f'<ellipse cx="354" cy="{y}" rx="62" ry="34" fill="{CORAL}" fill-opacity="0.14" '
        f'stroke="{CORAL}" stroke-width="1.6"/>',
        text(354, y, "$*z* ∼ *N*(*μ*, *σ*²)$", size=17),
        text(354, y + 52, "$*z*$, drawn", size=15),
        arrow([(293, y + 12), (268, y + 12)], color=CORAL, dashed=True),
        cross(254, y + 12),
        text(188, y + 72, "no gradient passes a draw", size=15),
    ]
