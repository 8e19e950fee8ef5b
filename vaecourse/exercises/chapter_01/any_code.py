"""Any code will do."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, data_dim, latent_dim, seed, dtype=torch.float64):
    """Centered data, and a linear encoder and decoder."""
    x = normal((rows, data_dim), seed, dtype) @ normal((data_dim, data_dim), seed + 1, dtype)
    encoder, decoder = (
        normal((latent_dim, data_dim), seed + 2),
        normal((data_dim, latent_dim), seed),
    )
    return x - x.mean(0), encoder.to(dtype), decoder.to(dtype)


def cases():
    """Pairs of different size."""
    return [case(50, 6, 2, 1), case(400, 12, 4, 2), case(30, 5, 3, 3)]


def measure(answer, x, encoder, decoder):
    """Reconstructions of the new pair, and the covariance of its codes."""
    new_encoder, new_decoder = answer(x, encoder, decoder)
    codes = x @ new_encoder.T
    return codes @ new_decoder.T, torch.cov(codes.T)


def truth(x, encoder, decoder):
    """Reconstructions of the old pair, and the identity."""
    return x @ encoder.T @ decoder.T, torch.eye(len(encoder), dtype=x.dtype)


def divided_by_the_count(x, encoder, decoder):
    """The same, for who divides a covariance by N."""
    reconstructions, covariance = truth(x, encoder, decoder)
    return reconstructions, covariance * len(x) / (len(x) - 1)


def root(x, encoder):
    """A matrix A with A Aᵀ the covariance of the codes."""
    return torch.linalg.cholesky(torch.cov((x @ encoder.T).T))


def only_the_encoder(x, encoder, decoder):
    """Your codes have covariance I, but the decoder does not know: undo the change there."""
    return torch.linalg.solve(root(x, encoder), encoder), decoder


def same_matrix_twice(x, encoder, decoder):
    """You applied the same matrix to encoder and decoder. One of them takes its inverse."""
    inverse = torch.linalg.inv(root(x, encoder))
    return inverse @ encoder, decoder @ inverse


def inverse_covariance(x, encoder, decoder):
    """You divided by the covariance. Variances are squares: divide by a square root of it."""
    covariance = torch.cov((x @ encoder.T).T)
    return torch.linalg.solve(covariance, encoder), decoder @ covariance


def only_the_scales(x, encoder, decoder):
    """Each code has variance one, but the codes are still correlated."""
    scales = (x @ encoder.T).std(0)
    return encoder / scales[:, None], decoder * scales


def root_for_inverse(x, encoder, decoder):
    """You multiplied the encoder by the square root. Divide by it."""
    factor = root(x, encoder)
    return factor @ encoder, decoder @ torch.linalg.inv(factor)


def unchanged(x, encoder, decoder):
    """You returned the pair as it was: its codes do not have covariance I."""
    return encoder, decoder


def by_eigenvectors(x, encoder, decoder):
    """The symmetric square root."""
    values, vectors = torch.linalg.eigh(torch.cov((x @ encoder.T).T))
    half = vectors * values.sqrt()
    return torch.linalg.pinv(half) @ encoder, decoder @ half


def by_hand(x, encoder, decoder):
    """A Cholesky factor and its inverse."""
    root = torch.linalg.cholesky(torch.cov((x @ encoder.T).T))
    return torch.linalg.inv(root) @ encoder, decoder @ root


def by_rotation(x, encoder, decoder):
    """Eigenvectors, then scales."""
    values, vectors = torch.linalg.eigh(torch.cov((x @ encoder.T).T))
    return (vectors / values.sqrt()).T @ encoder, decoder @ (vectors * values.sqrt())


EXERCISE = Exercise(
    name="01-any-code",
    title="Any code will do",
    difficulty=3,
    minutes=20,
    parameters=("x", "encoder", "decoder"),
    cases=cases,
    truth=truth,
    also=(divided_by_the_count,),
    returns=(torch.Tensor, torch.Tensor),
    measure=measure,
    hints=(
        "Put an invertible matrix between encoder and decoder. What must stand on its other side?",
        "The codes Az have the covariance A C Aᵀ, with C that of z. Choose A so that this is I. A "
        "Cholesky factor of C helps.",
        "`factor = torch.linalg.cholesky(torch.cov((x @ encoder.T).T))`; the new encoder is "
        "`torch.linalg.solve(factor, encoder)` and the new decoder `decoder @ factor`.",
    ),
    mistakes=(
        only_the_encoder,
        same_matrix_twice,
        inverse_covariance,
        only_the_scales,
        root_for_inverse,
        unchanged,
    ),
    alternatives=(by_eigenvectors,),
    formulas=(
        by_hand,
        by_rotation,
    ),
    right="Same reconstructions, other codes: the objective does not see how codes are laid out.",
)
