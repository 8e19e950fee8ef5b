"""Inference without a network: a free q for each example, to see what the encoder loses."""

import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.distributions import Gaussian
from vaecourse.models import VAE
from vaecourse.objectives import Objective, elbo
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.private import load_compiler
from vaecourse.schedules import warmup_cosine

__all__ = ["FreeEncoder", "optimize_posteriors"]


class FreeEncoder(nn.Module):
    """Encoder of a fixed batch: a mean and a log variance for each example, and no network.

    Parameters
    ----------
    mean, log_variance : Tensor
        Where they start, each ``(B, L)``.
    """

    def __init__(self, mean: Tensor, log_variance: Tensor) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.cat([mean, log_variance], dim=-1).detach().clone())
        self.head = Gaussian(mean.shape[-1])

    def forward(self, x: Tensor) -> td.Independent:
        """Return q for each of the B examples; `x` must be that very batch.

        Raises
        ------
        ValueError
            If the batch has another size.
        """
        if len(x) != len(self.values):
            raise ValueError(
                f"this encoder holds q for {len(self.values)} examples, got {len(x)}; give it the "
                "batch that it was made for, undivided"
            )
        return self.head(self.values)


def optimize_posteriors(
    model: VAE,
    x: Tensor,
    *,
    steps: int = 300,
    lr: float = 0.05,
    num_samples: int = 10,
    objective: Objective = elbo,
    seed: int = 0,
) -> VAE:
    r"""Fit a diagonal Gaussian to the posterior of each example by gradient ascent on its bound.

    With the optimum :math:`q^*`, the gap of the encoder's q falls into two parts (Cremer et al.,
    2018, equation 6):

    .. math::
        \log p(x) - \mathcal{L}[q_\phi] = \underbrace{\log p(x) - \mathcal{L}[q^*]
        }_{\text{approximation}} + \underbrace{\mathcal{L}[q^*] - \mathcal{L}[q_\phi]
        }_{\text{amortization}}.

    Parameters
    ----------
    model : VAE
        Its posteriors must be diagonal Gaussians. Nothing in it changes.
    x : Tensor
        Shape ``(B, *event)``.
    steps : int
        Steps of Adam. The rate rises for a tenth of them and then falls to zero.
    lr : float
        Largest learning rate.
    num_samples : int
        Samples of z for each example and step.
    objective : callable
        What to minimize.
    seed : int
        Seed of the samples.

    Returns
    -------
    VAE
        The same decoder and prior behind a `FreeEncoder`, which starts at the encoder's q.

    Raises
    ------
    ValueError
        If a count is not a positive integer.
    """
    check_positive(steps=steps, num_samples=num_samples)
    with torch.no_grad():
        start = model.encode(x)
    encoder = FreeEncoder(start.mean, start.variance.log())
    free = VAE(encoder, model.decoder, model.prior).eval()
    batch = Batch(x, torch.full((len(x),), -1))
    load_compiler()
    optimizer = torch.optim.Adam([encoder.values])
    rate = warmup_cosine(lr, max(1, steps // 10), steps + 1)
    with isolated_rng(seed, x.device):
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate(step)
            loss = objective(free, batch, num_samples=num_samples)["loss"].sum()
            # Asked for alone: no time goes into the decoder's gradients, and none is left behind.
            (encoder.values.grad,) = torch.autograd.grad(loss, [encoder.values])
            optimizer.step()
    encoder.values.grad = None
    return free
