"""The bound of an image without a label."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(classes, rows, seed, dtype=torch.float32, sure=1.0):
    """Bounds under every class, and logits of a classifier, every second row surer."""
    given = -20 + 2 * normal((classes, rows), seed, dtype)
    logits = normal((rows, classes), seed + 1, dtype, 2.0)
    logits[::2] *= sure
    return given, logits


def cases():
    """A few images, many images, double precision and a classifier that is all but certain."""
    return [case(3, 4, 1), case(10, 50, 3), case(5, 6, 5, torch.float64, 500.0)]


def truth(given, logits):
    """The logarithm of the evidence, less the divergence of the two opinions."""
    guess, opinion = td.Categorical(logits=logits), td.Categorical(logits=given.T)
    return given.logsumexp(0) - td.kl_divergence(guess, opinion)


def parts(given, logits, dim=-1):
    """Mean of the bounds, and entropy."""
    probs, logs = logits.softmax(dim), logits.log_softmax(dim)
    return (probs * given.T).sum(-1), -(probs * logs).sum(-1)


def no_entropy(given, logits):
    """The entropy is missing. Without it the best classifier would bet all on one class."""
    return parts(given, logits)[0]


def entropy_subtracted(given, logits):
    """You subtracted the entropy. It is a reward for staying undecided."""
    mean, entropy = parts(given, logits)
    return mean - entropy


def classes_alike(given, logits):
    """You averaged over the classes as if all were equally probable. Ask the classifier."""
    return given.mean(0) + parts(given, logits)[1]


def not_averaged(given, logits):
    """You added up the bounds of all classes. Weight each with its probability."""
    return given.sum(0) + parts(given, logits)[1]


def favorite_alone(given, logits):
    """You took the bound of the classifier's favorite class. The sum goes over all of them."""
    best = logits.argmax(-1, keepdim=True)
    return given.T.gather(-1, best)[:, 0] + parts(given, logits)[1]


def without_the_classifier(given, logits):
    """You summed the classes exactly, and left the classifier out. It would learn nothing."""
    return given.logsumexp(0)


def over_the_batch(given, logits):
    """Your probabilities add up to one over the batch. Take the softmax over the classes."""
    mean, entropy = parts(given, logits, 0)
    return mean + entropy


def nan_entropy(given, logits):
    """0 times log 0 is NaN. `log_softmax` keeps the logarithm finite."""
    probs = logits.softmax(-1)
    return (probs * given.T).sum(-1) - (probs * probs.log()).sum(-1)


def by_one_sum(given, logits):
    """Weight the difference of bound and log probability."""
    logs = logits - logits.logsumexp(-1, keepdim=True)
    return torch.einsum("bc,bc->b", logs.exp(), given.T - logs)


def by_hand(given, logits):
    """The average bound, and the entropy."""
    log_q = logits.log_softmax(-1)
    average = (log_q.exp() * given.T).sum(-1)
    entropy = -(log_q.exp() * log_q).sum(-1)
    return average + entropy


EXERCISE = Exercise(
    name="09-unlabeled-bound",
    title="The bound of an image without a label",
    difficulty=2,
    minutes=15,
    parameters=("given", "logits"),
    cases=cases,
    truth=truth,
    gradients=("given", "logits"),
    vectorized=True,
    hints=(
        "With which probabilities does the bound average over the classes? What is added?",
        "Weight the bound under each class with the classifier's probability and sum, then add "
        "the classifier's entropy. Take the logarithms from `log_softmax`.",
        "`q = logits.log_softmax(-1)`, then `(q.exp() * (given.T - q)).sum(-1)`.",
    ),
    mistakes=(
        no_entropy,
        entropy_subtracted,
        classes_alike,
        not_averaged,
        favorite_alone,
        without_the_classifier,
        over_the_batch,
        nan_entropy,
    ),
    alternatives=(by_one_sum,),
    formulas=(by_hand,),
    right="It is the log evidence less a divergence, so no classifier can push it too high.",
)
