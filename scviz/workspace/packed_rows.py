"""Rows of cells as one bit a cell, packed: 125 kB at most for any selection of a million cells."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def pack_rows(rows: NDArray[np.integer], *, level: int = 6) -> bytes:
    """Pack rows, (n,), of cells; their order and repetitions are lost.

    Examples
    --------
    >>> unpack_rows(pack_rows(np.array([7, 2, 2]))).tolist()
    [2, 7]
    """
    mask = np.zeros(int(rows.max()) + 1 if len(rows) else 0, dtype=bool)
    mask[rows] = True
    return zlib.compress(np.packbits(mask).tobytes(), level)


def unpack_rows(packed: bytes) -> NDArray[np.int64]:
    """Return the rows, (n,), ascending."""
    return np.flatnonzero(np.unpackbits(_bits(packed)))


def unpack_mask(packed: bytes, n_cells: int) -> NDArray[np.bool_]:
    """Tell of each cell, (N,), whether its row is among them; rows beyond N are dropped."""
    mask = np.zeros(n_cells, dtype=bool)
    bits = np.unpackbits(_bits(packed))[
        :n_cells
    ]  # without `count`, which leaves garbage where there are none
    mask[: len(bits)] = bits
    return mask


def _bits(packed: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(packed), dtype=np.uint8)
