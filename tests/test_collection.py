"""How the tests are collected: alike in every process, and without a GPU."""

from types import SimpleNamespace

import conftest
import pytest
import torch

from vaecourse.runtime import resolve_device


def _collect(*parameters):
    nodes = [SimpleNamespace(nodeid=f"tests/test_a.py::test[{value}]") for value in parameters]
    conftest.pytest_collection_modifyitems(nodes)


def test_an_id_that_holds_an_address_is_refused():
    with pytest.raises(pytest.UsageError, match=r"test_a\.py::test\[.*address of an object"):
        _collect("fine", {"transform": _collect})
    _collect("fine", 0x1F, "at 0", _collect.__name__)


def test_no_test_sees_a_gpu_that_did_not_ask_for_one():
    assert not torch.cuda.is_available()
    assert resolve_device("auto") == torch.device("cpu")
