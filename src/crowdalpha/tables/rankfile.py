"""Ranks on disk: the models of an era one after the other, so that reading a crowd is reading a file from end to end.

A file is a NumPy array file (n_models, n_ids) of whole doubled centred ranks, 2 rank - (n_ids + 1) with shared ties:
int16 up to 32,768 ids, else int32. `numpy.load(path, mmap_mode="r")` opens it as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import rank_models

Rows = NDArray[np.integer[Any]]
NARROW = 2**15
"""Ids up to which int16 holds every rank."""
AT_ONCE = 4 * 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class RankFile:
    """A file of ranks. Opening it reads only its head."""

    path: Path
    n_models: int
    n_ids: int
    dtype: np.dtype[Any]
    offset: int

    @classmethod
    def open(cls, path: Path | str) -> RankFile:
        """Raises InputError, code `not_ranks`, for a file that is something else or too short."""
        path = Path(path)
        with path.open("rb") as file:
            try:
                shape, fortran, dtype = _head(file)
            except ValueError:
                shape, fortran, dtype = (), False, np.dtype(object)
            offset = file.tell()
        whole = len(shape) == 2 and not fortran and dtype in (np.dtype("<i2"), np.dtype("<i4"))
        if not whole or path.stat().st_size != offset + int(np.prod(shape)) * dtype.itemsize:
            fix = "write it with write_ranks"
            raise InputError(Problem("not_ranks", "a whole file of ranks", f"{shape or 'no array'}", fix, str(path)))
        return cls(path, shape[0], shape[1], dtype, offset)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[Rows]:
        """The rows of the models `start` to `stop`, a few MB at a time; a block is good until the next is asked for."""
        end = self.n_models if stop is None else min(stop, self.n_models)
        row = self.n_ids * self.dtype.itemsize
        size = max(AT_ONCE // row // 64 * 64, 64)
        held = np.empty((min(size, max(end - start, 0)), self.n_ids), self.dtype)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + start * row)
            for first in range(start, end, size):
                some = held[: min(size, end - first)]
                _fill(file, some)
                _fetch(file, min(size, end - first - len(some)) * row)
                yield some

    def rows(self, start: int = 0, stop: int | None = None) -> Rows:
        """The rows of the models `start` to `stop` in memory."""
        found = [block.copy() for block in self.blocks(start, stop)]
        return np.concatenate(found) if found else np.empty((0, self.n_ids), self.dtype)


def narrow(doubled: NDArray[Any]) -> Rows:
    """Whole doubled ranks as a file keeps them."""
    return doubled.astype("<i2" if doubled.shape[-1] <= NARROW else "<i4", copy=False)


def write_ranks(path: Path | str, columns: Iterable[ArrayLike], n_models: int, n_ids: int) -> RankFile:
    """Write predictions, which come as arrays (n_ids, any number of models), as ranks; absent models become zeros.

    The file is there whole or not at all. Raises InputError, code `misaligned`, if there are more or fewer.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{token_hex(4)}")
    written = 0
    with partial.open("wb") as file:
        dtype = narrow(np.empty((0, n_ids))).dtype
        npy.write_array_header_1_0(file, {"descr": dtype.str, "fortran_order": False, "shape": (n_models, n_ids)})
        for some in columns:
            doubled = rank_models(some).doubled
            if doubled.shape[1] != n_ids:
                break
            file.write(narrow(doubled).tobytes())
            written += len(doubled)
        file.flush()
        os.fsync(file.fileno())
    if written != n_models:
        partial.unlink()
        found, fix = f"{written} of them", "pass every model once, with one prediction an id"
        raise InputError(Problem("misaligned", f"{n_models} models of {n_ids} ids", found, fix, str(path)))
    partial.replace(path)
    return RankFile.open(path)


def _head(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    return npy.read_array_header_1_0(file)


def _fetch(file: Any, n_bytes: int) -> None:
    """Have the system fetch what is read next, while what was read is worked on."""
    if n_bytes and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), file.tell(), n_bytes, os.POSIX_FADV_WILLNEED)


def _fill(file: Any, rows: Rows) -> None:
    """Read exactly as many bytes as the rows have."""
    view = memoryview(rows.reshape(-1).view(np.uint8).data)
    while len(view):
        count = file.readinto(view)
        if not count:
            raise EOFError(f"{file.name} became shorter while it was read")
        view = view[count:]
