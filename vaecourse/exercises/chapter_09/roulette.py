"""Let unlikely classes draw lots."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, classes, threshold, seed, dtype=torch.float32, spread=2.0):
    """Probabilities of a classifier and lots between 0 and 1."""
    probs = normal((rows, classes), seed, dtype, spread).softmax(-1)
    lots = torch.special.ndtr(normal((rows, classes), seed + 1, dtype))
    return probs, lots, threshold


def cases():
    """Sure and undecided classifiers, two thresholds."""
    return [
        case(4, 3, 0.3, 1),
        case(60, 10, 0.3, 3),
        case(5, 6, 0.5, 5, torch.float64, 0.3),
    ]


def truth(probs, lots, threshold):
    """Entry by entry."""
    rows = []
    for p, u in zip(probs.tolist(), lots.tolist(), strict=True):
        weights = [0.0] * len(p)
        for k, (q, lot) in enumerate(zip(p, u, strict=True)):
            if k == p.index(max(p)) or q >= threshold:
                weights[k] = q
            elif lot * threshold < q:
                weights[k] = threshold
        rows.append(weights)
    return torch.tensor(rows, dtype=probs.dtype)


def favorites(probs):
    """The likeliest class of each row."""
    return probs == probs.amax(-1, keepdim=True)


def drawn(probs, lots, threshold, sure, counts):
    """Weights: those that are sure, and those that win."""
    win = lots < probs / threshold
    zero = torch.zeros_like(probs)
    return torch.where(sure, probs, torch.where(win, counts, zero))


def cut_off(probs, lots, threshold):
    """You dropped the unlikely classes for good. That is biased: let them in now and then."""
    sure = favorites(probs) | (probs >= threshold)
    return torch.where(sure, probs, torch.zeros_like(probs))


def own_weight(probs, lots, threshold):
    """A class that wins counts only its own probability.

    It is in less often than always, so on average it counts too little.
    """
    return drawn(probs, lots, threshold, favorites(probs) | (probs >= threshold), probs)


def weight_one(probs, lots, threshold):
    """A class that wins counts 1. On average it should count its probability."""
    sure = favorites(probs) | (probs >= threshold)
    return drawn(probs, lots, threshold, sure, torch.ones_like(probs))


def favorite_draws(probs, lots, threshold):
    """You let the likeliest class draw a lot as well. It is always in."""
    return drawn(probs, lots, threshold, probs >= threshold, torch.full_like(probs, threshold))


def chance_not_scaled(probs, lots, threshold):
    """A class enters with its own probability. The chance is q divided by the threshold."""
    sure = favorites(probs) | (probs >= threshold)
    counts = torch.full_like(probs, threshold)
    return torch.where(sure, probs, torch.where(lots < probs, counts, 0 * counts))


def all_draw(probs, lots, threshold):
    """You let every class draw, and counted each that wins as the threshold.

    A class above the threshold is always in, and counts its probability.
    """
    win = lots < probs / threshold
    return torch.where(win, torch.full_like(probs, threshold), torch.zeros_like(probs))


def renormalized(probs, lots, threshold):
    """You made the weights add up to one. Then they are no longer right on average."""
    weights = truth(probs, lots, threshold)
    return weights / weights.sum(-1, keepdim=True)


def right_on_average(answer):
    """Averaged over evenly spaced lots every class counts its probability."""
    probs = torch.tensor([[0.6, 0.25, 0.1, 0.05]], dtype=torch.float64)
    lots = ((torch.arange(4000, dtype=torch.float64) + 0.5) / 4000)[:, None].expand(-1, 4)
    average = answer(probs.expand(4000, -1).contiguous(), lots.contiguous(), 0.3).mean(0)
    if (average - probs[0]).abs().max() > 2e-3:
        return "Averaged over the lots, your weights are not the classifier's probabilities."
    return None


def by_ratio(probs, lots, threshold):
    """Divide by the chance to be in."""
    chance = (probs / threshold).clamp(max=1.0)
    top = torch.nn.functional.one_hot(probs.argmax(-1), probs.shape[-1]).bool()
    chance = chance.masked_fill(top, 1.0)
    return (lots < chance) * probs / chance


def by_hand(probs, lots, threshold):
    """The chance of every class, and the weight that makes up for it."""
    chance = (probs / threshold).clamp(max=1)
    likeliest = probs == probs.amax(-1, keepdim=True)
    chance = torch.where(likeliest, 1.0, chance)
    return torch.where(lots < chance, probs / chance, 0.0)


EXERCISE = Exercise(
    name="09-roulette",
    title="Let unlikely classes draw lots",
    difficulty=3,
    minutes=20,
    parameters=("probs", "lots", "threshold"),
    cases=cases,
    truth=truth,
    vectorized=True,
    properties=(right_on_average,),
    hints=(
        "A class that is in with chance c must count how much, if it should count q on average?",
        "It counts q/c. The chance is 1 for the likeliest class and for all from the threshold "
        "on, and q/threshold for the others: those count exactly the threshold.",
        "`chance = (probs / threshold).clamp(max=1)`, set to 1 at `probs.argmax(-1)`; then `(lots "
        "< chance) * probs / chance`.",
    ),
    mistakes=(
        cut_off,
        own_weight,
        weight_one,
        favorite_draws,
        chance_not_scaled,
        all_draw,
        renormalized,
    ),
    alternatives=(by_ratio,),
    formulas=(by_hand,),
    right="The sum is unbiased, and most of its ten passes through the decoder are saved.",
)
