"""Ranking and matrix products on a graphics processor, chosen by CROWDALPHA_KERNEL=cupy or torch; never by itself.

Ranks are counts and products are sums of whole numbers below 2^53, exact in float64 in whatever order a processor
adds them: metamodels and scores have the same bits as without it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.options import said
from crowdalpha.scoring.problems import InputError, Problem

Rows = NDArray[np.integer[Any]]
Placed = tuple[NDArray[np.int64], NDArray[np.int64]]


class Device(Protocol):
    """What is asked of a processor that has memory of its own: arrays of this one go in and come out."""

    def places(self, rows: Floats) -> Placed:
        """How many values of its row are smaller than each value, and how many are not larger."""
        ...

    def order(self, rows: Floats) -> NDArray[np.int64]:
        """The stable order of each row."""
        ...

    def product(self, a: Floats, b: Rows | Floats) -> Floats:
        """a @ b in float64."""
        ...


class Torch:
    """PyTorch, on the first graphics processor unless another of its devices is named."""

    def __init__(self, device: str = "cuda") -> None:
        self._torch: Any = import_module("torch")
        self._device = device
        if device == "cuda" and not self._torch.cuda.is_available():
            raise _absent("torch", "PyTorch sees none")

    def places(self, rows: Floats) -> Placed:
        """As `Device` says."""
        values = self._there(rows)
        ordered = values.sort(dim=1).values
        smaller, others = (self._torch.searchsorted(ordered, values, right=right) for right in (False, True))
        return smaller.cpu().numpy(), others.cpu().numpy()

    def order(self, rows: Floats) -> NDArray[np.int64]:
        """As `Device` says."""
        found: NDArray[np.int64] = self._there(rows).argsort(dim=1, stable=True).cpu().numpy()
        return found

    def product(self, a: Floats, b: Rows | Floats) -> Floats:
        """As `Device` says."""
        found: Floats = (self._there(a) @ self._there(b).double()).cpu().numpy()
        return found

    def _there(self, array: NDArray[Any]) -> Any:
        return self._torch.as_tensor(np.ascontiguousarray(array), device=self._device)


class CuPy:
    """CuPy, on the current graphics processor; or any module that has NumPy's functions, such as NumPy."""

    def __init__(self, module: str = "cupy") -> None:
        self._xp: Any = import_module(module)
        if module == "cupy" and not _cuda_devices(self._xp):
            raise _absent("cupy", "CuPy sees none")

    def places(self, rows: Floats) -> Placed:
        """As `Device` says."""
        values = self._xp.asarray(rows)
        ordered = self._xp.sort(values, axis=1)
        found = [
            self._xp.stack([self._xp.searchsorted(*pair, side=side) for pair in zip(ordered, values, strict=True)])
            for side in ("left", "right")
        ]
        return self._back(found[0]), self._back(found[1])

    def order(self, rows: Floats) -> NDArray[np.int64]:
        """As `Device` says."""
        return self._back(self._xp.argsort(self._xp.asarray(rows), axis=1, kind="stable"))

    def product(self, a: Floats, b: Rows | Floats) -> Floats:
        """As `Device` says."""
        return self._back(self._xp.asarray(a) @ self._xp.asarray(b).astype(np.float64))

    def _back(self, array: Any) -> NDArray[Any]:
        return np.asarray(array.get() if hasattr(array, "get") else array)


@cache
def device_for(name: str) -> Device | None:
    """The device that CROWDALPHA_KERNEL names; None for the kernels of this processor ("", "numpy", "numba").

    Raises InputError, code `no_device`, if it is not there: nobody who asks for it gets something slower unseen.
    """
    if name in ("", "numpy", "numba"):
        return None
    kinds: dict[str, Callable[[], Device]] = {"torch": Torch, "cupy": CuPy}
    if name not in kinds:
        fix = "correct CROWDALPHA_KERNEL"
        raise InputError(Problem("bad_kernel", "numpy, numba, cupy or torch", said(name), fix))
    try:
        return kinds[name]()
    except ImportError as error:
        raise _absent(name, str(error)) from None


def rank_rows(device: Device, rows: Floats, ties: str) -> NDArray[np.int32]:
    """Doubled centred ranks of each row, as `kernels.rank_rows` has them."""
    n = rows.shape[1]
    if ties == "average":
        smaller, others = device.places(rows)
        return (smaller + others - n).astype(np.int32)
    out = np.empty(rows.shape, np.int32)
    np.put_along_axis(out, device.order(rows), np.broadcast_to(2 * np.arange(n, dtype=np.int32) + 1 - n, rows.shape), 1)
    return out


def _absent(name: str, found: str) -> InputError:
    fix = f"install it with its driver, or unset CROWDALPHA_KERNEL={name}"
    return InputError(Problem("no_device", f"{name} and a graphics processor", found, fix))


def _cuda_devices(cupy: Any) -> int:
    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0
