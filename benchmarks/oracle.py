"""Estimates of log p(x) and of a gradient, on a model where both are known exactly.

    python benchmarks/oracle.py --json oracle.json

The model is linear-Gaussian: 20 dimensions of x, 10 of z. The encoder is the exact posterior, moved
by 0.3 standard deviations and widened by a quarter in each dimension. Every value is a mean over
the same 100 examples, in nats; its standard error is that over independent repetitions.
``--images N`` also times 5,000 samples for N images of 28x28 pixels.
"""

import argparse
import time
from functools import partial

import torch

import vaecourse as vae
from vaecourse.evaluation.marginal import log_marginal
from vaecourse.objectives import sampled_elbo, score_function_elbo
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import writable, write_json

EXAMPLES, DATA_DIM, LATENT_DIM = 100, 20, 10
REPEATS, GRADIENTS = 30, 4000
SHIFT, WIDEN = 0.3, 1.25


def problem():
    """Return the oracle, a VAE with its decoder and a wrong encoder, and the examples."""
    oracle = vae.LinearGaussian.random(DATA_DIM, LATENT_DIM)
    model = vae.oracle.as_vae(oracle)
    bias = model.encoder[0].layers[0].bias
    mean, log_variance = bias.detach().chunk(2)
    off = mean + SHIFT * (log_variance / 2).exp(), log_variance + 2 * torch.tensor(WIDEN).log()
    with torch.no_grad():
        bias.copy_(torch.cat(off))
    x, _ = oracle.sample(EXAMPLES, seed=1)
    return oracle, model, x


def mean_and_error(values):
    """Return the mean of independent repetitions and its standard error."""
    values = torch.as_tensor(values, dtype=torch.float64)
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def estimates(model, x):
    """Return every estimate of log p(x) by name: its value and its standard error."""
    batch = vae.Batch(x, torch.full((len(x),), -1))
    bounds = []
    for seed in range(REPEATS):
        with isolated_rng(seed), torch.no_grad():
            bounds.append(vae.objectives.elbo(model, batch)["elbo"].mean())
    results = {"elbo": mean_and_error(bounds)}
    for name, proposal in (("is", "posterior"), ("mc", "prior")):
        for num_samples in (10, 1000):
            values = [
                log_marginal(model, x, num_samples, proposal=proposal, seed=seed).value.mean()
                for seed in range(REPEATS)
            ]
            results[f"{name}_{num_samples}"] = mean_and_error(values)
    return results


def spread(objective, model, x, seed):
    """Return the variance of the encoder's gradient for one sample, summed over parameters.

    The parameters are mean and log variance of one example's posterior; copies of the example give
    independent gradients.
    """
    posterior = model.encode(x.expand(GRADIENTS, -1))
    mean, scale = (part.detach() for part in (posterior.mean, posterior.stddev))
    free = torch.cat([mean, 2 * scale.log()], dim=1).requires_grad_()
    head = vae.Gaussian(LATENT_DIM)
    copies = vae.VAE(torch.nn.Identity(), model.decoder, model.prior)
    copies.encode = lambda _: head(free)
    batch = vae.Batch(x.expand(GRADIENTS, -1), torch.full((GRADIENTS,), -1))
    with isolated_rng(seed):
        loss = objective(copies, batch)["loss"].sum()
    (gradients,) = torch.autograd.grad(loss, free)
    return gradients.var(0).sum()


def variance_ratios(model, x):
    """Return score-function over pathwise variance, a ratio per example."""
    rows = [x[i : i + 1] for i in range(REPEATS)]
    objectives = {
        "variance_ratio": score_function_elbo,
        "variance_ratio_two_samples_with_baseline": partial(
            score_function_elbo, num_samples=2, baseline=True
        ),
    }
    pathwise = [spread(sampled_elbo, model, row, seed) for seed, row in enumerate(rows)]
    for name, objective in objectives.items():
        ratios = [
            spread(objective, model, row, seed) / pathwise[seed] for seed, row in enumerate(rows)
        ]
        yield name, mean_and_error(ratios)


def timing(images):
    """Return the seconds that 5,000 samples take for images of 28x28 pixels on this machine."""
    with isolated_rng(0):
        model = vae.mlp_vae((1, 28, 28), 20)
        x = torch.rand(images, 1, 28, 28).round()
    start = time.perf_counter()
    log_marginal(model, x, 5000)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=writable, help="also write the results to this file")
    parser.add_argument("--images", type=int, default=0, help="time this many images as well")
    arguments = parser.parse_args()
    oracle, model, x = problem()
    exact = oracle.log_marginal(x).mean().item()
    bound = oracle.elbo(x, model.encode(x)).mean().item()
    table = {"exact": (exact, 0.0), "elbo_exact": (bound, 0.0), **estimates(model, x)}
    table |= dict(variance_ratios(model, x))
    results = {}
    for name, (value, error) in table.items():
        print(f"{name:42} {value:12.4f} +- {error:.4f}", flush=True)
        results |= {name: value, f"{name}_standard_error": error}
    if arguments.images:
        results["images"] = arguments.images
        results["seconds_for_5000_samples"] = timing(arguments.images)
        print(
            f"5,000 samples, {arguments.images} images: {results['seconds_for_5000_samples']:.1f} s"
        )
    if arguments.json:
        write_json(arguments.json, results)


if __name__ == "__main__":
    main()
