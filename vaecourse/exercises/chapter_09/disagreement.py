"""What classifier and generator disagree on."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(classes, rows, seed, dtype=torch.float32):
    """Bounds under every class, and logits of a classifier."""
    given = -100 + 3 * normal((classes, rows), seed, dtype)
    return given, normal((rows, classes), seed + 1, dtype, 1.5)


def cases():
    """A few images, many images, double precision."""
    return [case(3, 4, 1), case(10, 50, 3), case(4, 5, 5, torch.float64)]


def truth(given, logits):
    """PyTorch's divergence of two categorical distributions."""
    return td.kl_divergence(td.Categorical(logits=logits), td.Categorical(logits=given.T))


def divergence(log_q, log_r):
    """KL of q from r, in nats."""
    return (log_q.exp() * (log_q - log_r)).sum(-1)


def turned_around(given, logits):
    """You averaged over the generator's opinion. The bound averages over the classifier's."""
    return divergence(given.T.log_softmax(-1), logits.log_softmax(-1))


def generator_upside_down(given, logits):
    """You gave the largest probability to the class with the worst bound: mind the sign."""
    return divergence(logits.log_softmax(-1), (-given.T).log_softmax(-1))


def shares_of_nats(given, logits):
    """You divided the bounds by their sum. They are logarithms: Bayes' rule needs `exp` first."""
    return divergence(logits.log_softmax(-1), (given / given.sum(0)).T.log())


def over_the_batch(given, logits):
    """Your probabilities add up to one over the batch. Go along the classes."""
    return divergence(logits.log_softmax(0), given.T.log_softmax(0))


def unnormalized(given, logits):
    """You left the bounds unnormalized: log r(y|x) lacks the log of the sum over classes."""
    return divergence(logits.log_softmax(-1), given.T)


def cross_entropy(given, logits):
    """You returned the cross-entropy. Subtract the classifier's own entropy."""
    return -(logits.softmax(-1) * given.T.log_softmax(-1)).sum(-1)


def sharpened(given, logits):
    """Your logits went through a softmax twice. `log_softmax` takes them as they are."""
    return divergence(logits.softmax(-1).log_softmax(-1), given.T.log_softmax(-1))


def by_the_gap(given, logits):
    """What the bound of the image lacks to the log of the sum over classes."""
    q = logits.softmax(-1)
    reached = (q * given.T).sum(-1) + torch.special.entr(q).sum(-1)
    return given.double().logsumexp(0).to(given.dtype) - reached


def by_hand(given, logits):
    """The divergence of two softmaxes."""
    log_q, log_r = logits.log_softmax(-1), given.T.log_softmax(-1)
    return (log_q.exp() * (log_q - log_r)).sum(-1)


EXERCISE = Exercise(
    name="09-disagreement",
    title="What classifier and generator disagree on",
    difficulty=2,
    minutes=15,
    parameters=("given", "logits"),
    cases=cases,
    truth=truth,
    gradients=("given", "logits"),
    vectorized=True,
    tolerance=3e-4,
    hints=(
        "The generator's opinion is a softmax. Of what?",
        "log r is the `log_softmax` of the ten bounds along the classes, log q that of the logits. "
        "The KL averages log q − log r over q.",
        "`q, r = logits.log_softmax(-1), given.T.log_softmax(-1)`, then `(q.exp() * (q - r))"
        ".sum(-1)`.",
    ),
    mistakes=(
        turned_around,
        generator_upside_down,
        shares_of_nats,
        over_the_batch,
        unnormalized,
        cross_entropy,
        sharpened,
    ),
    alternatives=(by_the_gap,),
    formulas=(by_hand,),
    right="This is what an image without a label makes smaller, in either network.",
)
