"""Estimators of log p(x) by importance sampling."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vaecourse.checks import as_positive
from vaecourse.data.door import as_input
from vaecourse.evaluation.parts import in_parts
from vaecourse.models.protocols import LatentModel, LatentModule
from vaecourse.runtime import evaluating
from vaecourse.runtime.passes import excess, part_of

__all__ = ["LogMarginal", "log_marginal"]


class LogMarginal(NamedTuple):
    """Estimate of log p(x) for each example.

    Attributes
    ----------
    value : Tensor
        Estimates, shape ``(B,)``, in nats.
    standard_error : Tensor
        Standard error of each value by the delta method, shape ``(B,)``, in nats.
    effective_sample_size : Tensor
        ``(sum w)**2 / sum w**2`` of the importance weights, shape ``(B,)``, from 1 to K.
    """

    value: Tensor
    standard_error: Tensor
    effective_sample_size: Tensor


class _Sizes(NamedTuple):
    """How many samples and examples are held at once."""

    chunk: int
    batch_size: int


ON_CPU, ON_ACCELERATOR = _Sizes(10, 50), _Sizes(50, 1000)


def log_marginal(
    model: LatentModule,
    x: Tensor,
    num_samples: int,
    *,
    proposal: Literal["prior", "posterior"] = "posterior",
    chunk: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> LogMarginal:
    r"""Estimate log p(x) from K weighted samples of z.

    .. math::
        \hat p(x) = \frac1K \sum_{k=1}^K w_k, \qquad w_k = p(x\mid z_k)\, p(z_k) / r(z_k),

    with :math:`z_k \sim r`. The proposal r is the prior (direct Monte Carlo) or q(z|x) (Rezende et
    al., 2014, appendix E). The mean weight is unbiased for p(x); its logarithm is biased downward
    (Burda et al., 2016, theorem 1).

    Parameters
    ----------
    model : VAE
        Has ``prior``, ``encode`` and ``decode``.
    x : Tensor
        Shape ``(B, *event)``.
    num_samples : int
        Samples K per example.
    proposal : {"prior", "posterior"}
        Where z comes from.
    chunk : int, optional
        Samples held at once. It bounds the memory and does not change the result. By default 10 on
        a CPU, where few stay in the cache and are the fastest, and 50 on an accelerator.
    batch_size : int, optional
        Examples held at once, by default 50 on a CPU and 1000 on an accelerator. Every batch goes
        on with the random numbers of the one before.
    seed : int
        Seed of the samples.

    Returns
    -------
    LogMarginal
        Value, standard error and effective sample size per example, on the CPU, float64.

    Raises
    ------
    ValueError
        If a count is not a positive integer or the proposal is neither of the two.

    Examples
    --------
    Where q(z|x) is the exact posterior, all weights are equal and the estimate is exact:

    >>> import vaecourse as vae
    >>> oracle = vae.LinearGaussian.random(data_dim=4, latent_dim=2)
    >>> x, z = oracle.sample(3)
    >>> estimate = vae.evaluation.log_marginal(vae.oracle.as_vae(oracle), x, num_samples=10)
    >>> estimate.value.allclose(oracle.log_marginal(x))
    True
    """
    sizes = {"chunk": chunk, "batch_size": batch_size}
    num_samples = as_positive(num_samples, "num_samples")
    given = {name: as_positive(n, name) for name, n in sizes.items() if n is not None}
    if proposal not in ("prior", "posterior"):
        raise ValueError(f'proposal must be "prior" or "posterior", got {proposal!r}')
    x = as_input(x, model)
    with evaluating(model, seed) as device:
        usual = ON_CPU if device.type == "cpu" else ON_ACCELERATOR
        chunk = given.get("chunk", usual.chunk)
        batch_size = given.get("batch_size", usual.batch_size)
        model = _with_room(model, x[:batch_size].to(device), min(chunk, num_samples), proposal)
        parts = [
            _log_moments(model, part.to(device), num_samples, proposal, chunk)
            for part in x.split(batch_size)
        ]
    first, second = torch.cat(parts, dim=1).cpu()
    return _summarize(first, second, num_samples)


def _with_room(model: LatentModule, x: Tensor, chunk: int, proposal: str) -> LatentModule:
    """Return `model`, in parts if as many samples of as many rows have no room."""

    def ask(rows: int) -> Tensor:
        return _log_moments(model, x[:rows], 1, proposal, 1)

    has_room = excess(ask, chunk * len(x), x.device) is None
    return model if has_room else in_parts(model, x.shape[1:], part_of(x.device))


def _log_moments(
    model: LatentModel, x: Tensor, num_samples: int, proposal: str, chunk: int
) -> Tensor:
    """Return the logs of sum w and of sum w**2, shape ``(2, B)``, adding up chunk by chunk."""
    prior = model.prior()
    source = model.encode(x) if proposal == "posterior" else prior.expand((len(x),))
    # Of a normal, `sample` asks its device whether all scales are positive, and waits.
    draw = source.rsample if source.has_rsample else source.sample
    there = x.device if x.device.type != "mps" else torch.device("cpu")  # MPS has no float64
    logs = torch.full((2, len(x)), -torch.inf, dtype=torch.float64, device=there)
    for done in range(0, num_samples, chunk):
        # One draw at a time: the stream of random numbers then ignores where chunks end.
        z = torch.stack([draw() for _ in range(min(chunk, num_samples - done))])
        log_weight = model.decode(z).log_prob(x).to(there).double()
        if proposal == "posterior":
            log_weight += (prior.log_prob(z) - source.log_prob(z)).to(there)
        both = torch.stack([log_weight, 2 * log_weight]).logsumexp(1)
        logs = torch.logaddexp(logs, both)
    return logs


def _summarize(first: Tensor, second: Tensor, num_samples: int) -> LogMarginal:
    ess = (2 * first - second).exp()
    relative_variance = (num_samples / ess - 1).clamp(min=0) / max(num_samples - 1, 1)
    error = relative_variance.sqrt() if num_samples > 1 else torch.full_like(ess, torch.inf)
    value = first - torch.tensor(num_samples, dtype=torch.float64).log()
    return LogMarginal(value, error, ess)
