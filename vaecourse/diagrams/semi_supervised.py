"""Graphical models with labels."""

from vaecourse.diagrams.svg import ACCENT, Diagram, arrow, box, circle, text

__all__ = ["m2_diagram"]


def m2_diagram() -> Diagram:
    """Draw the graphical model of M2, after Kingma et al. (2014), section 2.

    Solid arrows are the generative model ``p(y) p(z) p(x | y, z)``, dashed ones the inference model
    ``q(y | x) q(z | x, y)``. The class y is lightly shaded: only some rows have
    a label.

    Returns
    -------
    Diagram
        Drawing 460 by 330.
    """
    parts = [
        box(230, 136, 300, 248, radius=16),
        text(358, 240, "$*N*$", size=17),
        circle(130, 70, 28, stroke=ACCENT, fill=ACCENT, opacity=0.1),
        text(130, 70, "$*y*$", size=20),
        circle(330, 70, 28),
        text(330, 70, "$*z*$", size=20),
        circle(230, 206, 28, stroke=ACCENT, fill=ACCENT, opacity=0.3),
        text(230, 206, "$*x*$", size=20),
        arrow([(147, 93), (213, 183)]),
        arrow([(313, 93), (247, 183)]),
        arrow([(206, 192), (160, 168), (134, 136), (130, 99)], dashed=True, bend=True),
        arrow([(254, 192), (300, 168), (326, 136), (330, 99)], dashed=True, bend=True),
        arrow([(158, 70), (301, 70)], dashed=True),
        text(230, 284, "solid: model $*p*(*y*) *p*(*z*) *p*_{*θ*}(*x* | *y*, *z*)$", size=15),
        text(
            230,
            310,
            "dashed: inference $*q*_{*ϕ*}(*y* | *x*) *q*_{*ϕ*}(*z* | *x*, *y*)$",
            size=15,
        ),
    ]
    return Diagram(
        460,
        330,
        "The graphical model of M2",
        "Inside a plate, repeated for each of N examples, solid arrows lead from the class y and "
        "from the latent variable z to the observed, shaded variable x. The class is lightly "
        "shaded: some examples have a label. Dashed arrows, the inference model, lead from x to y, "
        "from x to z and from y to z.",
        tuple(parts),
    )
