"""Trial and error."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Scores of samples, their codes, and the distribution that they came from."""
    cases = []
    for seed, (count, latent_dim, dtype) in enumerate(
        [(4, 2, torch.float32), (60, 3, torch.float32), (5, 1, torch.float64)]
    ):
        mean, log_variance = normal(latent_dim, seed, dtype), normal(latent_dim, seed + 10, dtype)
        noise = normal((count, latent_dim), seed + 20, dtype)
        z = mean + (log_variance / 2).exp() * noise
        cases.append((normal(count, seed + 30, dtype, 3.0), z, mean, log_variance))
    return cases


def truth(f, z, mean, log_variance):
    """Differentiate the log density of every sample by PyTorch."""

    def log_density(phi, z):
        mean, log_variance = phi.chunk(2)
        return torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(z).sum()

    phi = torch.cat([mean, log_variance])
    scores = torch.stack([torch.func.grad(log_density)(phi, each) for each in z])
    return (f[:, None] * scores).mean(0)


def parts(z, mean, log_variance):
    """Scores of the mean and of the log variance."""
    deviation = z - mean
    return deviation / log_variance.exp(), 0.5 * (deviation**2 / log_variance.exp() - 1)


def weighted(f, of_mean, of_log_variance):
    """Average over samples."""
    return (f[:, None] * torch.cat([of_mean, of_log_variance], dim=1)).mean(0)


def divided_by_the_scale(f, z, mean, log_variance):
    """You divided by the standard deviation. The score of the mean has the variance below it."""
    of_mean, of_log_variance = parts(z, mean, log_variance)
    return weighted(f, of_mean * (log_variance / 2).exp(), of_log_variance)


def no_half(f, z, mean, log_variance):
    """The ½ in the score of the log variance is missing: the scale has half its logarithm."""
    of_mean, of_log_variance = parts(z, mean, log_variance)
    return weighted(f, of_mean, 2 * of_log_variance)


def no_minus_one(f, z, mean, log_variance):
    """The minus one in the score of the log variance is missing. It comes from the constant."""
    of_mean, of_log_variance = parts(z, mean, log_variance)
    return weighted(f, of_mean, of_log_variance + 0.5)


def wrong_sign(f, z, mean, log_variance):
    """Your gradient points the other way: a good sample must become more probable."""
    return -weighted(f, *parts(z, mean, log_variance))


def summed(f, z, mean, log_variance):
    """You summed over the samples. An expectation is their mean."""
    return len(f) * weighted(f, *parts(z, mean, log_variance))


def without_f(f, z, mean, log_variance):
    """You averaged the score alone. Its mean is zero: weight every sample with its f."""
    return weighted(torch.ones_like(f), *parts(z, mean, log_variance))


def mean_of_f_apart(f, z, mean, log_variance):
    """You averaged f and the score apart. Multiply sample by sample, then average."""
    return f.mean() * weighted(torch.ones_like(f), *parts(z, mean, log_variance))


def by_autograd(f, z, mean, log_variance):
    """Differentiate a weighted sum of log densities once."""
    phi = torch.stack([mean, log_variance]).detach().requires_grad_()
    with torch.enable_grad():
        q = torch.distributions.Normal(phi[0], (0.5 * phi[1]).exp())
        loss = (f.detach() * q.log_prob(z.detach()).sum(-1)).mean()
    return torch.autograd.grad(loss, phi)[0].flatten()


def by_hand(f, z, mean, log_variance):
    """The scores, weighted."""
    variance = log_variance.exp()
    deviation = z - mean
    of_mean = f[:, None] * (deviation / variance)
    of_log = f[:, None] * (0.5 * (deviation**2 / variance - 1))
    return torch.cat([of_mean.mean(0), of_log.mean(0)])


def by_scales(f, z, mean, log_variance):
    """With standard deviations, weighted at the end."""
    noise = (z - mean) / (log_variance / 2).exp()
    scores = torch.cat([noise / (log_variance / 2).exp(), 0.5 * noise**2 - 0.5], dim=-1)
    return (scores * f[:, None]).mean(0)


EXERCISE = Exercise(
    name="05-score-function",
    title="Trial and error",
    difficulty=2,
    minutes=15,
    parameters=("f", "z", "mean", "log_variance"),
    cases=cases,
    truth=truth,
    vectorized=True,
    hints=(
        "Every sample pushes φ along the gradient of log q at its z. What says how hard?",
        "The two scores are (z − μ)/σ² and ½((z − μ)²/σ² − 1). Multiply by f, sample by sample, "
        "and average.",
        "`d = z - mean; v = log_variance.exp()`, then `(f[:, None] * torch.cat([d / v, (d**2 / v - "
        "1) / 2], dim=1)).mean(0)`.",
    ),
    mistakes=(
        divided_by_the_scale,
        no_half,
        no_minus_one,
        wrong_sign,
        summed,
        without_f,
        mean_of_f_apart,
    ),
    alternatives=(by_autograd,),
    formulas=(
        by_hand,
        by_scales,
    ),
    right="It never asked for the slope of f. That is its strength and its noise.",
)
