"""The oracle: a latent-variable model whose every integral is known exactly."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import log, pi

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.checks import check_positive

__all__ = ["LinearGaussian"]


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    r"""Linear-Gaussian model, that is, probabilistic PCA, in float64.

    .. math::
        z \sim \mathcal{N}(0, I), \qquad x \mid z \sim \mathcal{N}(W z + b, \sigma^2 I),

    Tipping and Bishop (1999), equations (1) and (2). All that inference asks for is exact here.

    Parameters
    ----------
    weight : Tensor
        W, shape ``(D, L)``.
    bias : Tensor
        b, shape ``(D,)``.
    scale : float
        Standard deviation :math:`\sigma` of every dimension of x given z.

    Raises
    ------
    ValueError
        If the shapes do not fit together or `scale` is not positive.
    """

    weight: Tensor
    bias: Tensor
    scale: float

    def __post_init__(self) -> None:
        if self.weight.dim() != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                f"weight must have shape (D, L) and bias (D,), got {tuple(self.weight.shape)} "
                f"and {tuple(self.bias.shape)}"
            )
        if not self.scale > 0:
            raise ValueError(f"scale must be a positive number, got {self.scale!r}")
        object.__setattr__(self, "weight", self.weight.double())
        object.__setattr__(self, "bias", self.bias.double())
        object.__setattr__(self, "scale", float(self.scale))

    @classmethod
    def random(
        cls, data_dim: int, latent_dim: int, *, scale: float = 0.5, seed: int = 0
    ) -> "LinearGaussian":
        """Draw a model whose columns of W are orthogonal, so that its posterior is diagonal.

        The columns have lengths from 2 down to 1, and the bias is standard normal.

        Parameters
        ----------
        data_dim, latent_dim : int
            Dimensions D of x and L of z, with L at most D.
        scale : float
            Standard deviation of x given z.
        seed : int
            Seed of W and b.

        Returns
        -------
        LinearGaussian
            The model.

        Raises
        ------
        ValueError
            If a dimension is not a positive integer or L exceeds D.
        """
        check_positive(data_dim=data_dim, latent_dim=latent_dim)
        if latent_dim > data_dim:
            raise ValueError(
                f"latent_dim must be at most data_dim, got {latent_dim} above {data_dim}"
            )
        generator = _stream("model", seed)
        square = torch.randn(data_dim, latent_dim, generator=generator, dtype=torch.float64)
        lengths = torch.linspace(2, 1, latent_dim, dtype=torch.float64)
        bias = torch.randn(data_dim, generator=generator, dtype=torch.float64)
        return cls(torch.linalg.qr(square).Q * lengths, bias, scale)

    @classmethod
    def fit(cls, x: Tensor, latent_dim: int) -> "LinearGaussian":
        r"""Return the model of largest likelihood for x, in closed form.

        With the eigenvalues :math:`\lambda_i` and eigenvectors U of the covariance of x,
        :math:`\sigma^2 = \frac1{D-L}\sum_{i>L}\lambda_i` and
        :math:`W = U_L(\Lambda_L-\sigma^2 I)^{1/2}`: Tipping and Bishop (1999), equations (7) and
        (8). The columns of W are orthogonal.

        Parameters
        ----------
        x : Tensor
            Data, shape ``(N, D)``.
        latent_dim : int
            Dimension L of z, below D.

        Returns
        -------
        LinearGaussian
            The model.

        Raises
        ------
        ValueError
            If x is no matrix, or `latent_dim` is not between 1 and D - 1.
        """
        check_positive(latent_dim=latent_dim)
        if x.dim() != 2 or latent_dim >= x.shape[1]:
            raise ValueError(
                f"x must have shape (N, D) with D above latent_dim = {latent_dim}, got "
                f"{tuple(x.shape)}; flatten images first"
            )
        x = x.double()
        variances, directions = torch.linalg.eigh(torch.cov(x.T, correction=0))
        noise = variances[:-latent_dim].mean()
        leading = (variances[-latent_dim:] - noise).clamp(min=0).sqrt()
        weight = (directions[:, -latent_dim:] * leading).flip(1)
        return cls(weight, x.mean(0), noise.sqrt().item())

    @property
    def data_dim(self) -> int:
        """Dimension D of x."""
        return self.weight.shape[0]

    @property
    def latent_dim(self) -> int:
        """Dimension L of z."""
        return self.weight.shape[1]

    @cached_property
    def marginal(self) -> td.MultivariateNormal:
        r"""The distribution p(x): normal with covariance :math:`W W^\top + \sigma^2 I`."""
        noise = self.scale**2 * torch.eye(self.data_dim, dtype=torch.float64)
        return td.MultivariateNormal(self.bias, self.weight @ self.weight.T + noise)

    def sample(self, num: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Draw data and the codes that made them.

        Parameters
        ----------
        num : int
            How many.
        seed : int
            Seed of the draw.

        Returns
        -------
        tuple of Tensor
            x of shape ``(num, D)`` and z of shape ``(num, L)``.
        """
        check_positive(num=num)
        generator = _stream("sample", seed)
        z = torch.randn(num, self.latent_dim, generator=generator, dtype=torch.float64)
        noise = torch.randn(num, self.data_dim, generator=generator, dtype=torch.float64)
        return z @ self.weight.T + self.bias + self.scale * noise, z

    def log_marginal(self, x: Tensor) -> Tensor:
        """Return log p(x), shape ``(B,)``, in nats, for x of shape ``(B, D)``: exact."""
        return self.marginal.log_prob(x.double())

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x|z), shape ``(K, B)``, in nats, for x ``(B, D)`` and z ``(K, B, L)``."""
        mean = z.double() @ self.weight.T + self.bias
        return td.Independent(td.Normal(mean, self.scale), 1).log_prob(x.double())

    def posterior(self, x: Tensor) -> td.MultivariateNormal:
        r"""Return the exact posterior p(z|x) for x of shape ``(B, D)``.

        Its precision is :math:`M/\sigma^2` with :math:`M = W^\top W + \sigma^2 I`, its mean
        :math:`M^{-1}W^\top(x-b)`: Tipping and Bishop (1999), appendix A.
        """
        identity = torch.eye(self.latent_dim, dtype=torch.float64)
        precision = self.weight.T @ self.weight / self.scale**2 + identity
        pull = (x.double() - self.bias) @ self.weight / self.scale**2
        mean = torch.linalg.solve(precision, pull.T).T
        return td.MultivariateNormal(mean, precision_matrix=precision)

    def elbo(self, x: Tensor, q: td.Distribution) -> Tensor:
        r"""Evidence lower bound of a Gaussian q(z|x), exactly.

        With mean m and covariance S of q it is

        .. math::
            -\frac{\lVert x-b-Wm\rVert^2 + \operatorname{tr}(W S W^\top)}{2\sigma^2}
            -\frac D2\log 2\pi\sigma^2
            -\frac12\left[\operatorname{tr}S + m^\top m - L - \log\det S\right].

        Parameters
        ----------
        x : Tensor
            Shape ``(B, D)``.
        q : Distribution
            An independent normal or a multivariate normal of batch shape ``(B,)`` over z.

        Returns
        -------
        Tensor
            Shape ``(B,)``, in nats; differentiable in the parameters of q.

        Raises
        ------
        TypeError
            If q is not Gaussian.
        """
        mean, covariance = q.mean.double(), _covariance(q).double()
        error = (x.double() - self.bias - mean @ self.weight.T).square().sum(-1)
        spread = torch.einsum("dk,...kl,dl->...", self.weight, covariance, self.weight)
        constant = self.data_dim / 2 * log(2 * pi * self.scale**2)
        reconstruction = -(error + spread) / (2 * self.scale**2) - constant
        trace = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
        rate = trace + mean.square().sum(-1) - self.latent_dim - covariance.logdet()
        return reconstruction - 0.5 * rate


def _stream(purpose: str, seed: int) -> torch.Generator:
    """Return random numbers that no other use of the same seed shares.

    Were z drawn from the plain seed, an estimator with that seed would draw noise equal to z.
    """
    digest = hashlib.sha256(f"linear gaussian {purpose} {seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _covariance(q: td.Distribution) -> Tensor:
    if isinstance(q, td.MultivariateNormal):
        return q.covariance_matrix
    if isinstance(q, td.Independent) and isinstance(q.base_dist, td.Normal):
        return torch.diag_embed(q.variance)
    raise TypeError(
        f"q must be an independent normal or a multivariate normal, got {q}; for any other "
        "q estimate the bound with vaecourse.objectives.sampled_elbo"
    )
