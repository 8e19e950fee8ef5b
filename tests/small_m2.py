"""A small M2, a batch, and an average over codes that has no noise."""

import torch
from torch import distributions as td

import vaecourse as vc

D, L, C = 5, 2, 3


def some_model(**options):
    """Return an untrained model in float64."""
    return vc.mlp_m2(D, L, C, (7,), **options).double()


def some_batch(y, dtype=torch.float64):
    """Return rows with these labels."""
    x = torch.rand(len(y), D, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return vc.Batch(x, torch.tensor(y))


class Cubature(td.Independent):
    """A Gaussian whose 2L 'samples' average every quadratic function exactly."""

    def rsample(self, sample_shape=()):
        num = self.event_shape[0]
        assert tuple(sample_shape) == (2 * num,)
        points = num**0.5 * torch.cat([torch.eye(num), -torch.eye(num)]).double()
        shape = (2 * num, *[1] * (self.mean.dim() - 1), num)
        return self.mean + self.stddev * points.reshape(shape)


def average_exactly(model):
    """Let 2L samples of z average every quadratic function of it exactly."""
    encode = model.encode
    model.encode = lambda *which: Cubature(encode(*which).base_dist, 1)
