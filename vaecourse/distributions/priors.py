"""Learned priors: modules that take nothing and return p(z), for the third place of a `VAE`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import check_positive

__all__ = ["MixturePrior", "VampPrior"]


def _mixture(logits: Tensor, parts: td.Distribution) -> td.MixtureSameFamily:
    weights = td.Categorical(logits=logits, validate_args=False)
    return td.MixtureSameFamily(weights, parts, validate_args=False)


class MixturePrior(nn.Module):
    r"""Mixture of diagonal Gaussians whose weights, means and scales are all learned.

    .. math::
        p(z) = \sum_{m=1}^{M} \pi_m\, \mathcal{N}(z; \mu_m, \operatorname{diag}(\sigma_m^2)).

    It starts near :math:`\mathcal{N}(0, I)`, at means drawn from a narrow normal: equal means would
    get equal gradients and never part. Its KL term has no closed form, so train it by
    `vaecourse.objectives.sampled_elbo` or `vaecourse.objectives.iwae`.

    Parameters
    ----------
    latent_dim : int
        Dimension L of z.
    num_components : int
        Number M of Gaussians.

    Raises
    ------
    ValueError
        If a size is not a positive integer.
    """

    def __init__(self, latent_dim: int, num_components: int = 50) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, num_components=num_components)
        self.logits = nn.Parameter(torch.zeros(num_components))
        self.means = nn.Parameter(0.3 * torch.randn(num_components, latent_dim))
        self.log_scales = nn.Parameter(torch.zeros(num_components, latent_dim))

    def forward(self) -> td.MixtureSameFamily:
        """Return the distribution, over ``(L,)``."""
        parts = td.Normal(self.means, self.log_scales.exp(), validate_args=False)
        return _mixture(self.logits, td.Independent(parts, 1, validate_args=False))


class VampPrior(nn.Module):
    r"""Mixture of the posteriors of learned pseudo-inputs (Tomczak and Welling, 2018, equation 9).

    .. math::
        p(z) = \sum_{m=1}^{M} \pi_m\, q_\phi(z\mid u_m).

    The best prior for a given encoder is the aggregate posterior, the mixture of
    :math:`q_\phi(z\mid x_n)` over all data. M pseudo-inputs :math:`u_m` stand in for the data. They
    are pixels between 0 and 1, learned like weights.

    Parameters
    ----------
    encoder : Module
        The encoder of the same model. The prior shares its weights and does not own them.
    pseudo_inputs : Tensor
        Where they start, shape ``(M, *event)``, with values in [0, 1]: images of the training set.

    Raises
    ------
    ValueError
        If there are no pseudo-inputs or a value lies outside [0, 1].
    """

    def __init__(self, encoder: Callable[[Tensor], td.Distribution], pseudo_inputs: Tensor) -> None:
        super().__init__()
        if not len(pseudo_inputs) or pseudo_inputs.min() < 0 or pseudo_inputs.max() > 1:
            raise ValueError(
                "pseudo_inputs must be at least one image with values in [0, 1], got shape "
                f"{tuple(pseudo_inputs.shape)}; take some training images"
            )
        self._shared = (encoder,)  # in a tuple: its weights are registered once, in the model
        self.logits = nn.Parameter(torch.zeros(len(pseudo_inputs)))
        self.pixels = nn.Parameter(pseudo_inputs.clamp(0.01, 0.99).logit())

    @property
    def pseudo_inputs(self) -> Tensor:
        """The pseudo-inputs, shape ``(M, *event)``, between 0 and 1."""
        return self.pixels.sigmoid()

    def forward(self) -> td.MixtureSameFamily:
        """Return the distribution, over ``(L,)``."""
        return _mixture(self.logits, self._shared[0](self.pseudo_inputs))
