"""A VAE for counts: proportions from the latent, times a library size that is given."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import Shape, as_widths, check_positive
from vaecourse.data.cells import log_normalize, observed
from vaecourse.distributions import Gaussian, StandardNormal
from vaecourse.distributions.negative_binomial import NegativeBinomial
from vaecourse.networks import MLP, Activation, ConditionalMLP

__all__ = ["CountVAE", "Given", "mlp_count_vae"]


class Given(NamedTuple):
    """A VAE for the cells of one batch: their library sizes and sites are constants in it.

    Attributes
    ----------
    counts : Tensor
        The counts of these cells, shape ``(B, G)``: what this VAE is a model of.
    encode, decode, prior : callable
        As those of a `VAE`.
    """

    counts: Tensor
    encode: Callable[[Tensor], td.Distribution]
    decode: Callable[[Tensor], td.Distribution]
    prior: Callable[[], td.Distribution]


class CountVAE(nn.Module):
    r"""VAE of counts, given the library size and the site (Lopez et al., 2018, simplified).

    .. math::
        p(z)\, p_\theta(x\mid z, \ell, s), \qquad
        \mathbb{E}[x\mid z,\ell,s] = \ell\,\operatorname{softmax}(f_\theta(z, s)).

    The library size :math:`\ell` enters as an offset of the log means, so z need not explain it.
    The site s enters the decoder alone, so z need not explain that either.

    Parameters
    ----------
    encoder : Module
        Maps log-normalized counts ``(B, G)`` to q(z|x).
    network : Module
        Maps z of shape ``(*batch, L)`` and sites ``(*batch)`` to one number per gene.
    head : Module
        Maps log means ``(*batch, G)`` to p(x|z).
    prior : Module
        Takes nothing and returns p(z).
    """

    def __init__(
        self, encoder: nn.Module, network: nn.Module, head: nn.Module, prior: nn.Module
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.network = network
        self.head = head
        self.prior = prior

    def encode(self, x: Tensor) -> td.Distribution:
        """Return q(z|x) for rows of counts and site, shape ``(B, G + 1)``; the site is not read."""
        return self.encoder(log_normalize(observed(x).counts))

    def decode(self, z: Tensor, library: Tensor, site: Tensor) -> td.Distribution:
        """Return p(x|z) for z ``(*batch, L)``, library sizes ``(*batch, 1)`` and sites."""
        return self.head(self.network(z, site).log_softmax(-1) + library.log())

    def modeled(self, x: Tensor) -> Tensor:
        """Return what of rows ``(B, G + 1)`` the likelihood is a density of: the counts."""
        return observed(x).counts

    def given(self, x: Tensor) -> Given:
        """Return the model of these rows ``(B, G + 1)`` as an ordinary VAE of their counts."""
        counts, library, site = observed(x)
        return Given(
            counts, lambda _: self.encode(x), lambda z: self.decode(z, library, site), self.prior
        )


def mlp_count_vae(
    genes: int,
    latent_dim: int,
    sites: int = 1,
    hidden: Shape = (128,),
    activation: Activation = nn.ReLU,
) -> CountVAE:
    """Build a fully connected `CountVAE` with a negative binomial head.

    Parameters
    ----------
    genes : int
        Number G of genes.
    latent_dim : int
        Dimension L of z.
    sites : int
        Number of sites that the decoder tells apart.
    hidden : int or sequence of int
        Hidden units of the encoder; the decoder mirrors them.
    activation : callable
        Builds the nonlinearity after each hidden layer.

    Returns
    -------
    CountVAE
        An untrained model with a standard normal prior.
    """
    check_positive(genes=genes, latent_dim=latent_dim)
    hidden = as_widths(hidden)
    posterior, head = Gaussian(latent_dim), NegativeBinomial(genes)
    encoder = nn.Sequential(MLP(genes, hidden, posterior.in_shape, activation), posterior)
    network = ConditionalMLP(latent_dim, sites, hidden[::-1], head.in_shape, activation)
    return CountVAE(encoder, network, head, StandardNormal(latent_dim))
