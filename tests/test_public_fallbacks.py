"""A PyTorch without the private functions that the package uses: the same numbers, more slowly."""

from functools import partial

import pytest
import torch
from torch import nn

from vaecourse.runtime import private
from vaecourse.training import optimizers


def _missing(name):
    return lambda monkeypatch, owner: monkeypatch.delattr(owner, name)


def _renamed_arguments(monkeypatch, owner):
    whole = owner._init_group
    monkeypatch.setattr(owner, "_init_group", lambda self, group: whole(self, group))


def _another_meaning(monkeypatch, owner):
    whole = owner._fused_adam_

    def twice_as_far(*tensors, lr, **options):
        whole(*tensors, lr=2 * lr, **options)

    monkeypatch.setattr(owner, "_fused_adam_", twice_as_far)


LOSSES = {
    "no kernel": (torch, _missing("_fused_adam_")),
    "no sum of lists": (torch, _missing("_foreach_add_")),
    "no lists of tensors": (torch.optim.Adam, _missing("_init_group")),
    "other arguments": (torch.optim.Adam, _renamed_arguments),
    "another meaning": (torch, _another_meaning),
}


@pytest.fixture
def forget():
    """Ask PyTorch anew, before the test and after it."""
    asked = optimizers._steps_privately, optimizers._steps_fused
    for function in asked:
        function.cache_clear()
    yield
    for function in asked:
        function.cache_clear()


def _trained(make):
    weight = nn.Parameter(torch.linspace(-2, 2, 9))
    optimizer = make([weight])
    for step in range(5):
        weight.grad = torch.cos(weight.detach() + step)
        optimizer.step()
    return weight.detach()


def test_this_pytorch_has_them(forget):
    """Otherwise the tests below compare one thing with itself."""
    weight = nn.Parameter(torch.ones(3))
    assert type(optimizers.adam([weight])) is private.FusedAdam


@pytest.mark.parametrize("loss", LOSSES)
def test_adam_does_without(monkeypatch, forget, loss):
    """The optimizer of PyTorch uses these functions too, so they are lost to the question alone."""
    with monkeypatch.context() as patch:
        owner, lose = LOSSES[loss]
        lose(patch, owner)
        assert not optimizers._steps_privately(torch.device("cpu"), torch.float32)
    assert type(optimizers.adam([nn.Parameter(torch.ones(3))])) is optimizers._PublicAdam
    assert torch.equal(_trained(optimizers.adam), _trained(partial(torch.optim.Adam, fused=True)))


def test_adam_does_without_a_fused_kernel(monkeypatch, forget):
    monkeypatch.setattr(optimizers, "_steps_privately", lambda *_kind: False)
    monkeypatch.setattr(optimizers, "_steps_fused", lambda *_kind: False)
    optimizer = optimizers.adam([nn.Parameter(torch.ones(3))])
    assert not optimizer.param_groups[0]["fused"]
    assert torch.equal(_trained(optimizers.adam), _trained(torch.optim.Adam))


def test_the_public_adam_takes_subnormal_moments_for_zero():
    if not torch.set_flush_denormal(False):
        pytest.skip("needs a processor that can take subnormal numbers for zero")
    weight = nn.Parameter(torch.linspace(-1, 1, 64))
    optimizer = optimizers._PublicAdam([weight], fused=True)
    for step in range(1000):
        weight.grad = (1e-3 if step == 0 else 0.0) * torch.ones(64)
        optimizer.step()
    assert not optimizer.state[weight]["exp_avg"].any()
