"""A reconstruction that the decoder cannot bend."""

import torch

from vaecourse.exercises.exercise import Exercise, Mistake, normal

__all__ = ["EXERCISE"]


def case(rows, data_dim, latent_dim, seed, dtype=torch.float32):
    """Images, weights of an encoder and of a decoder, and noise for either pass."""
    x = normal((rows, data_dim), seed, dtype).sigmoid()
    encoder = normal((latent_dim, data_dim), seed + 1, dtype, 0.7)
    decoder = normal((data_dim, latent_dim), seed + 2, dtype, 0.7)
    eps, eps_again = (normal((rows, latent_dim), seed + k, dtype) for k in (3, 4))
    return x, encoder, decoder, eps, eps_again


def cases():
    """A few images, many images, double precision."""
    return [case(3, 5, 2, 1), case(40, 8, 3, 10), case(4, 6, 2, 20, torch.float64)]


def code(x, encoder, eps):
    """Code of an image: a mean that is linear, and a scale of one half."""
    return x @ encoder.T + 0.5 * eps


def picture(z, decoder):
    """Gray levels of a code."""
    return (z @ decoder.T).sigmoid()


class Redraw(torch.autograd.Function):
    """The second code, with a backward pass by hand."""

    @staticmethod
    def forward(context, x, encoder, decoder, eps, eps_again):
        """Encode, decode, encode."""
        drawn = 1 / (1 + torch.exp(-torch.einsum("rl,dl->rd", code(x, encoder, eps), decoder)))
        context.save_for_backward(drawn)
        return torch.einsum("rd,ld->rl", drawn, encoder) + eps_again / 2

    @staticmethod
    def backward(context, gradient):
        """The second encoder alone: its input is taken for data."""
        (drawn,) = context.saved_tensors
        return None, torch.einsum("rl,rd->ld", gradient, drawn), None, None, None


def truth(x, encoder, decoder, eps, eps_again):
    """By a function with a backward pass of its own."""
    return Redraw.apply(x, encoder, decoder, eps, eps_again)


def nothing_detached(x, encoder, decoder, eps, eps_again):
    """The value is right, but the graph goes on through the reconstruction.

    The decoder could learn to draw what the classifier likes.
    """
    return code(picture(code(x, encoder, eps), decoder), encoder, eps_again)


def all_detached(x, encoder, decoder, eps, eps_again):
    """You detached the second code. Then the constraint teaches nobody: cut one step earlier."""
    again = nothing_detached(x, encoder, decoder, eps, eps_again)
    return again.detach()


def first_code_detached(x, encoder, decoder, eps, eps_again):
    """You detached the first code. The gradient still reaches the decoder; cut behind it."""
    drawn = picture(code(x, encoder, eps).detach(), decoder)
    return code(drawn, encoder, eps_again)


def same_noise(x, encoder, decoder, eps, eps_again):
    """You used the same noise twice. The second code is a draw of its own."""
    return code(picture(code(x, encoder, eps), decoder).detach(), encoder, eps)


def mean_decoded(x, encoder, decoder, eps, eps_again):
    """You decoded the mean of the first code. A sample is to survive the detour."""
    return code(picture(x @ encoder.T, decoder).detach(), encoder, eps_again)


def mean_returned(x, encoder, decoder, eps, eps_again):
    """You returned the mean of the second posterior. A sample of it is asked for."""
    return code(picture(code(x, encoder, eps), decoder).detach(), encoder, 0 * eps)


def slopes_of(value, encoder, decoder):
    """Gradients of the sum in both matrices; zeros where the graph is cut."""
    if not value.requires_grad:
        return torch.zeros_like(encoder), torch.zeros_like(decoder)
    return torch.autograd.grad(
        value.sum(), (encoder, decoder), allow_unused=True, materialize_grads=True
    )


def cut_too_early(answer):
    """Tell whether the decoder learns, and the encoder as it should."""
    x, encoder, decoder, eps, eps_again = case(3, 5, 2, 1)
    encoder, decoder = encoder.requires_grad_(), decoder.requires_grad_()
    inputs = x, encoder, decoder, eps, eps_again
    slopes = slopes_of(answer(*inputs), encoder, decoder)
    wanted = slopes_of(truth(*inputs), encoder, decoder)[0]
    return bool(slopes[1].any()) and torch.allclose(slopes[0], wanted, atol=1e-4)


def decoder_is_spared(answer):
    """No gradient may reach the decoder."""
    x, encoder, decoder, eps, eps_again = case(3, 5, 2, 1)
    encoder, decoder = encoder.requires_grad_(), decoder.requires_grad_()
    slopes = slopes_of(answer(x, encoder, decoder, eps, eps_again), encoder, decoder)
    return "A gradient reaches the decoder." if slopes[1].any() else None


def without_a_graph(x, encoder, decoder, eps, eps_again):
    """Reconstruct without a graph."""
    with torch.no_grad():
        drawn = torch.special.expit((encoder @ x.T).T.add(eps, alpha=0.5) @ decoder.T)
    return torch.nn.functional.linear(drawn, encoder) + eps_again * 0.5


def by_hand(x, encoder, decoder, eps, eps_again):
    """Encode, decode, encode."""
    z = x @ encoder.T + 0.5 * eps
    picture = (z @ decoder.T).sigmoid().detach()
    return picture @ encoder.T + 0.5 * eps_again


EXERCISE = Exercise(
    name="10-redraw",
    title="A reconstruction that the decoder cannot bend",
    difficulty=3,
    minutes=20,
    parameters=("x", "encoder", "decoder", "eps", "eps_again"),
    cases=cases,
    truth=truth,
    gradients=("encoder",),
    properties=(decoder_is_spared,),
    hints=(
        "Three steps: encode, decode, encode. Behind which of them must the graph be cut?",
        "The reconstruction is to be data for the second pass. Detach it, and nothing else.",
        "`drawn = (z @ decoder.T).sigmoid().detach()`, then `drawn @ encoder.T + 0.5 * eps_again`.",
    ),
    mistakes=(
        nothing_detached,
        all_detached,
        Mistake(first_code_detached, found=cut_too_early),
        same_noise,
        mean_decoded,
        mean_returned,
    ),
    alternatives=(without_a_graph,),
    formulas=(by_hand,),
    right="The encoder has to follow the picture, and cannot make the picture follow it.",
)
