"""An affine coupling layer and its log determinant."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def conditioner(seed, half):
    """A small fixed network: the first half of eps to shifts and log scales."""
    inner, outer = normal((half, 6), seed), normal((6, 2 * half), seed + 1, scale=0.5)

    def network(first):
        return torch.tanh(first @ inner.to(first.dtype)) @ outer.to(first.dtype)

    return network


def coupling_cases():
    """Noise of different size and a network that reads its first half."""
    return [
        (normal((3, 4), 1), conditioner(11, 2)),
        (normal((50, 6), 2), conditioner(12, 3)),
        (normal((4, 4), 3, torch.float64), conditioner(13, 2)),
    ]


def parts(eps, network):
    """Both halves, the shift and the log scale."""
    first, second = eps.chunk(2, dim=-1)
    shift, log_scale = network(first).chunk(2, dim=-1)
    return first, second, shift, log_scale


def coupling_truth(eps, network):
    """The layer, and its log determinant from the full Jacobian, row by row."""

    def layer(row):
        first, second, shift, log_scale = parts(row, network)
        return torch.cat([first, second * log_scale.exp() + shift], dim=-1)

    jacobian = torch.func.vmap(torch.func.jacrev(layer))(eps)
    return layer(eps), torch.linalg.slogdet(jacobian).logabsdet


def answer(eps, network, second, log_det):
    """Join the first half of eps and a new second half."""
    return torch.cat([parts(eps, network)[0], second], dim=-1), log_det


def minus_log_det(eps, network):
    """The sign of your log determinant is wrong: the layer stretches by the scale."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, second * log_scale.exp() + shift, -log_scale.sum(-1))


def mean_of_log_scales(eps, network):
    """You averaged the log scales. The determinant of a triangle is a product."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, second * log_scale.exp() + shift, log_scale.mean(-1))


def scale_not_exponentiated(eps, network):
    """You multiplied by the log scale: take `exp`, which also keeps the scale positive."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, second * log_scale + shift, log_scale.sum(-1))


def shifted_first(eps, network):
    """You shifted before you scaled. The order asked for is scale, then shift."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, (second + shift) * log_scale.exp(), log_scale.sum(-1))


def shift_and_scale_swapped(eps, network):
    """You took the network's output in the wrong order: the shift comes first."""
    _, second, log_scale, shift = parts(eps, network)
    return answer(eps, network, second * log_scale.exp() + shift, log_scale.sum(-1))


def summed_over_rows(eps, network):
    """You summed over the batch. Each row has a determinant of its own: `(B,)`."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, second * log_scale.exp() + shift, log_scale.sum())


def scales_not_logs(eps, network):
    """You summed the scales. The log of a product of scales is the sum of their logs."""
    _, second, shift, log_scale = parts(eps, network)
    return answer(eps, network, second * log_scale.exp() + shift, log_scale.exp().sum(-1))


def halves_swapped(eps, network):
    """You moved the half that the network reads. Then the Jacobian is no triangle."""
    first, second, shift, log_scale = parts(eps, network)
    return torch.cat([first * log_scale.exp() + shift, second], dim=-1), log_scale.sum(-1)


def coupling_by_slices(eps, network):
    """A right answer by slices."""
    half = eps.shape[-1] // 2
    out = network(eps[:, :half])
    scale = torch.exp(out[:, half:])
    moved = torch.addcmul(out[:, :half], eps[:, half:], scale)
    return torch.hstack([eps[:, :half], moved]), scale.log().sum(1)


def by_hand(eps, network):
    """Scale and shift the second half."""
    first, second = eps.chunk(2, -1)
    shift, log_scale = network(first).chunk(2, -1)
    return torch.cat([first, second * log_scale.exp() + shift], -1), log_scale.sum(-1)


EXERCISE = Exercise(
    name="15-coupling",
    title="A coupling layer",
    difficulty=2,
    minutes=20,
    parameters=("eps", "network"),
    cases=coupling_cases,
    truth=coupling_truth,
    returns=(torch.Tensor, torch.Tensor),
    gradients=("eps",),
    hints=(
        "Write down the Jacobian for two variables. Which of its four entries is zero?",
        "The first half stays, so its block is the identity. The second half depends on itself by "
        "a scale alone. The determinant of a triangular matrix is the product of its diagonal.",
        "`second * log_scale.exp() + shift`, and `log_scale.sum(-1)` for the log determinant.",
    ),
    mistakes=(
        minus_log_det,
        mean_of_log_scales,
        scale_not_exponentiated,
        shifted_first,
        shift_and_scale_swapped,
        summed_over_rows,
        scales_not_logs,
        halves_swapped,
    ),
    alternatives=(coupling_by_slices,),
    formulas=(by_hand,),
    right="No determinant was computed: that is why coupling layers scale to images.",
)
