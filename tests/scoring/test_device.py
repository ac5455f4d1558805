"""Ranks and products on another processor have the bits of this one."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from crowds import random_crowd, seeds, tie_rules
from hypothesis import given, settings

from crowdalpha import scoring
from crowdalpha.scoring import device, kernels
from crowdalpha.scoring.problems import InputError

few = settings(max_examples=25)


@few
@given(seeds, tie_rules)
def test_scores_by_a_device_have_the_bits_of_scores_without(seed, ties):
    crowd = random_crowd(seed)
    args, bags = (crowd.predictions, crowd.stakes, crowd.target), crowd.bags
    expected = [scoring.mmc2(*args, bags=bags, ties=ties), scoring.corr(crowd.predictions, crowd.target, ties=ties)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_device", lambda: device.CuPy("numpy"))
        found = [scoring.mmc2(*args, bags=bags, ties=ties), scoring.corr(crowd.predictions, crowd.target, ties=ties)]
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("name", ["torch", "cupy"])
def test_a_device_that_is_not_there_is_refused_and_never_replaced_by_something_slower(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    device.device_for.cache_clear()
    monkeypatch.setenv("CROWDALPHA_KERNEL", name)
    with pytest.raises(InputError, match="no_device"):
        scoring.rank([1.0, 2.0])


def test_a_library_that_sees_no_graphics_processor_is_refused(monkeypatch):
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=Runtime()))
    monkeypatch.setitem(sys.modules, "torch", as_module("torch", torch))
    monkeypatch.setitem(sys.modules, "cupy", as_module("cupy", cupy))
    for kind in (device.Torch, device.CuPy):
        with pytest.raises(InputError, match="no_device"):
            kind()


def test_a_kernel_that_nobody_knows_is_refused(monkeypatch):
    monkeypatch.setenv("CROWDALPHA_KERNEL", "abacus")
    with pytest.raises(InputError, match="bad_kernel"):
        scoring.rank([1.0, 2.0])


class Runtime:
    """Of a machine without a driver."""

    class CUDARuntimeError(RuntimeError):
        """What CuPy raises there."""

    def getDeviceCount(self):  # noqa: N802
        raise self.CUDARuntimeError


def as_module(name, namespace):
    module = ModuleType(name)
    vars(module).update(vars(namespace))
    return module
