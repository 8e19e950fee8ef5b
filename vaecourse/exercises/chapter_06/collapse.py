"""Make it collapse."""

from functools import partial

import torch

from vaecourse.data import load
from vaecourse.distributions import GaussianFixedScale, GaussianSharedScale
from vaecourse.divergences import kl
from vaecourse.exercises.exercise import Exercise, Mistake, normal
from vaecourse.models import VAE, mlp_vae

__all__ = ["EXERCISE"]

SILENT, SPEAKING, UNLIKE = 0.01, 0.1, 0.1  # nats, nats, gray levels


def digits():
    """Small digits, (N, 1, 8, 8)."""
    return load("digits")


def fixed(model):
    """Tell whether the decoder has a fixed scale."""
    return isinstance(list(model.decoder.children())[-1], GaussianFixedScale)


def state(model):
    """Return the rate on held-out images, and how far decoded codes lie from the mean image."""
    split = digits()
    codes = normal((64, model.prior().event_shape[0]), 0)
    with torch.no_grad():
        rate = kl(model.encode(split.valid.x), model.prior()).mean().item()
        pictures = model.decode(codes).mean
    return rate, (pictures - split.train.x.mean(0)).square().mean().sqrt().item()


def is_silent(answer):
    """Rate near zero, and the mean image for every code."""
    model = answer()
    model.eval()
    if not fixed(model):
        return "Its decoder does not end in a `vae.GaussianFixedScale`."
    rate, distance = state(model)
    if distance > UNLIKE:
        return "Its decoder does not draw the average digit for every code."
    return f"Its rate is {rate:.3f} nats: not quite zero." if rate > SILENT else None


def with_weights(mean=0.0, average=True, head=GaussianFixedScale):
    """Build a model that ignores images and codes: posterior mean, and what is drawn."""
    model = mlp_vae((1, 8, 8), 2, hidden=(8,), likelihood=head)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        last = [x for x in model.encoder.modules() if isinstance(x, torch.nn.Linear)][-1]
        last.bias[:2] = mean
        last = [x for x in model.decoder.modules() if isinstance(x, torch.nn.Linear)][-1]
        last.bias[:64] = digits().train.x.mean(0).flatten() if average else 0.0
    return model


def other_head():
    """Your decoder ends in another head. Use `vae.GaussianFixedScale`, and choose its scale."""
    return with_weights(head=GaussianSharedScale)


def never_trained():
    """The rate is small, but this decoder draws no average digit.

    It has not been trained, or not for long enough.
    """
    return with_weights(average=False)


def still_speaks():
    """The code still says something: its rate is above a tenth of a nat.

    Which scale makes a nat of rate more expensive?
    """
    return with_weights(mean=1.0)


def almost():
    """It is on its way: a hundredth of a nat is left. Train a little longer, or be bolder."""
    return with_weights(mean=0.2)


def found(low, high, unlike):
    """Recognize a model by its rate and by what it draws."""

    def of(answer):
        model = answer()
        if not fixed(model):
            return False
        rate, distance = state(model)
        return low < rate <= high and (distance > UNLIKE) in unlike

    return of


def by_hand():
    """A right answer with weights set by hand."""
    return with_weights(head=partial(GaussianFixedScale, scale=1.0))


EXERCISE = Exercise(
    name="06-collapse",
    title="Make it collapse",
    difficulty=2,
    minutes=15,
    truth=None,
    returns=VAE,
    properties=(is_silent,),
    hints=(
        "Which weight does the KL term have against half the squared error, if the scale is fixed?",
        "The weight is the scale's square. The digits' largest principal variance is below 1: no "
        "direction is worth its nats from a scale of about 1 on.",
        "`wide = 2.0`, and `mute = trained_with(wide)`.",
    ),
    mistakes=(
        Mistake(other_head, found=lambda answer: not fixed(answer())),
        Mistake(never_trained, found=found(-1.0, SPEAKING, (True,))),
        Mistake(still_speaks, found=found(SPEAKING, float("inf"), (True, False))),
        Mistake(almost, found=found(SILENT, SPEAKING, (False,))),
    ),
    alternatives=(by_hand,),
    right="Nothing was wrong with the loss. A wide decoder makes every nat of code too dear.",
)
