"""Codes, reconstructions and samples of a trained model, computed in batches."""

from torch import Tensor

from vaecourse.data.door import as_input
from vaecourse.models.protocols import CoderModule, EncoderModule, LatentModule
from vaecourse.runtime import evaluating
from vaecourse.runtime.passes import in_passes, row_by_row

__all__ = ["active_units", "embed", "reconstruct", "sample_prior"]


def embed(model: EncoderModule, x: Tensor, *, batch_size: int | None = None) -> Tensor:
    """Return the posterior means of `x`.

    Parameters
    ----------
    model : Autoencoder or VAE
        Model with ``encode``.
    x : Tensor or array-like
        Shape ``(N, *event)``; arrays as `Batch.of` takes them.
    batch_size : int, optional
        Most examples per pass, by default 1000 on a CPU and 10,000 on an accelerator; fewer where
        they would not have room.

    Returns
    -------
    Tensor
        Shape ``(N, L)``, on the CPU.

    Examples
    --------
    >>> import vaecourse as vae
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    >>> vae.evaluation.embed(model, vae.load("digits").test.x).shape
    torch.Size([299, 2])
    """
    return in_passes(model, as_input(x, model), lambda part: model.encode(part).mean, batch_size)


def reconstruct(model: CoderModule, x: Tensor, *, batch_size: int | None = None) -> Tensor:
    """Return the decoder's mean at the posterior mean of each example.

    Parameters
    ----------
    model : Autoencoder or VAE
        Model with ``encode`` and ``decode``.
    x : Tensor or array-like
        Shape ``(N, *event)``; arrays as `Batch.of` takes them.
    batch_size : int, optional
        Most examples per pass, by default 1000 on a CPU and 10,000 on an accelerator; fewer where
        they would not have room.

    Returns
    -------
    Tensor
        Shape ``(N, *event)``, on the CPU.

    Examples
    --------
    >>> import vaecourse as vae
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    >>> vae.evaluation.reconstruct(model, vae.load("digits").test.x).shape
    torch.Size([299, 1, 8, 8])
    """

    def decoded(part: Tensor) -> Tensor:
        return model.decode(model.encode(part).mean).mean

    return in_passes(model, as_input(x, model), decoded, batch_size)


def sample_prior(model: LatentModule, num: int, *, seed: int = 0) -> Tensor:
    """Draw z from the prior and return the decoder's means.

    Parameters
    ----------
    model : VAE
        Model with ``prior`` and ``decode``.
    num : int
        Number of draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    Tensor
        Shape ``(num, *event)``, on the CPU.
    """
    with evaluating(model, seed) as device:
        z = model.prior().sample((num,))
        return row_by_row(lambda part: model.decode(part).mean, z, device)


def active_units(model: EncoderModule, x: Tensor) -> Tensor:
    r"""Return how much each latent unit's posterior mean varies over the data.

    The activity :math:`A_u = \operatorname{Var}_x(\mathbb{E}_{q(z_u\mid x)}[z_u])` of Burda et al.
    (2016), section 5.2. They call a unit active when :math:`A_u > 0.01`.

    Parameters
    ----------
    model : VAE
        Model with ``encode``.
    x : Tensor
        Shape ``(N, *event)`` with at least two examples.

    Returns
    -------
    Tensor
        Shape ``(L,)``.

    Raises
    ------
    ValueError
        If there are fewer than two examples.
    """
    if len(x) < 2:
        raise ValueError(f"active_units needs at least two examples, got {len(x)}")
    return embed(model, x).var(0)
