"""Sure one by one, undecided together."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, classes, seed, dtype=torch.float32):
    """Logits, rows with a label that lean to one class, and a prior that is not uniform."""
    labeled = normal((rows,), seed) > 0.3
    logits = normal((rows, classes), seed + 1, dtype, 1.5)
    logits = logits + 2 * labeled[:, None] * (torch.arange(classes) == 1)
    prior = torch.linspace(1, 2, classes, dtype=dtype)
    return logits, labeled, prior / prior.sum()


def cases():
    """A few images, many images, double precision."""
    return [case(5, 4, 1), case(60, 10, 3), case(6, 3, 5, torch.float64)]


def truth(logits, labeled, prior):
    """Entropy of the prior plus its divergence from the mean prediction."""
    mean = sum(logits[~labeled].softmax(-1)) / (~labeled).sum()
    pi, guess = td.Categorical(probs=prior), td.Categorical(probs=mean)
    return pi.entropy() + td.kl_divergence(pi, guess)


def predictions(logits, labeled):
    """Probabilities of the rows without a label."""
    return logits[~labeled].softmax(-1)


def mean_of_the_logs(logits, labeled, prior):
    """You averaged the logs. That asks every single image to be undecided.

    Average the probabilities first: the images together are to be undecided.
    """
    return -(prior * logits[~labeled].log_softmax(-1).mean(0)).sum()


def all_rows(logits, labeled, prior):
    """The labeled rows went into the mean as well. Their classes are told."""
    return -(prior * logits.softmax(-1).mean(0).log()).sum()


def labeled_rows(logits, labeled, prior):
    """You averaged over the rows that have a label. Take the others."""
    return -(prior * logits[labeled].softmax(-1).mean(0).log()).sum()


def mean_of_logits(logits, labeled, prior):
    """You averaged the logits, and then took the softmax. Average probabilities."""
    return -(prior * logits[~labeled].mean(0).log_softmax(-1)).sum()


def own_entropy(logits, labeled, prior):
    """You returned minus the entropy of the mean prediction. Compare it with the prior."""
    mean = predictions(logits, labeled).mean(0)
    return (mean * mean.log()).sum()


def turned_around(logits, labeled, prior):
    """You turned the two around. The prior gives the weights, the prediction the logarithms."""
    return -(predictions(logits, labeled).mean(0) * prior.log()).sum()


def uniform_prior(logits, labeled, prior):
    """You weighted all classes alike. The prior is given."""
    return -predictions(logits, labeled).mean(0).log().mean()


def over_the_batch(logits, labeled, prior):
    """Your probabilities add up to one over the batch. Take the softmax over the classes."""
    return -(prior * logits[~labeled].softmax(0).mean(0).log()).sum()


def counted(logits, labeled, prior):
    """No gradient comes from counting favorites. Average the probabilities instead."""
    best = logits[~labeled].argmax(-1)
    counts = torch.bincount(best, minlength=len(prior)).to(logits.dtype)
    return -(prior * (counts / counts.sum()).clamp(min=1e-6).log()).sum()


def in_logs(logits, labeled, prior):
    """Stay in logs: log of the mean by logsumexp."""
    logs = logits.log_softmax(-1)[~labeled]
    count = torch.tensor(float(len(logs)), dtype=logs.dtype)
    return prior @ (count.log() - logs.logsumexp(0))


def by_hand(logits, labeled, prior):
    """The cross-entropy of the prior and the mean prediction."""
    mean = logits[~labeled].softmax(-1).mean(0)
    return -(prior * mean.log()).sum()


EXERCISE = Exercise(
    name="10-aggregate",
    title="Sure one by one, undecided together",
    difficulty=2,
    minutes=15,
    parameters=("logits", "labeled", "prior"),
    cases=cases,
    truth=truth,
    gradients=("logits",),
    vectorized=True,
    hints=(
        "What is averaged first: probabilities, or their logarithms? And over which rows?",
        "Softmax, mean over the rows without a label, logarithm, and then a sum over the classes "
        "weighted with the prior.",
        "`-(prior * logits[~labeled].softmax(-1).mean(0).log()).sum()`.",
    ),
    mistakes=(
        mean_of_the_logs,
        all_rows,
        labeled_rows,
        mean_of_logits,
        own_entropy,
        turned_around,
        uniform_prior,
        over_the_batch,
        counted,
    ),
    alternatives=(in_logs,),
    formulas=(by_hand,),
    right="With the log inside, every image would be asked to be undecided: the opposite.",
)
