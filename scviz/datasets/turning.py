"""Turn a matrix that comes some rows at a time, so that it is given by its columns, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csr_matrix

BUCKET_VALUES = 8_000_000
"""Values that are put together in memory at a time."""
MEMORY_VALUES = 24_000_000
"""Values, of 8 bytes each, that wait in memory; what is more waits in files."""


def turn(
    blocks: Iterator[csr_matrix],
    n_columns: int,
    *,
    n_values: int,
    folder: Path,
    spread: NDArray[np.int64] | None = None,
) -> Iterator[csr_matrix]:
    """Give a matrix by its columns: columns become rows, in blocks that hold about as many values each.

    Each block is turned when it comes, and lies in pieces, one for each range of columns, until all are there: then
    the pieces of a range need only be put beside each other.

    Parameters
    ----------
    blocks
        (n, n_columns) each, below each other; no place twice.
    n_values
        How many values there are in all, at most.
    folder
        Where files may wait; nothing is left there.
    spread
        (n_columns,) values of each column, where they are known.
    """
    n_buckets = min(-(-n_values // BUCKET_VALUES), max(n_columns, 1)) or 1
    starts = _starts(n_columns, n_buckets, spread)  # (n_buckets + 1,)
    ranges = list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
    with tempfile.TemporaryDirectory(dir=folder) as waiting:
        in_files = n_values > MEMORY_VALUES
        buckets = [_Bucket(Path(waiting) / str(i) if in_files else None) for i in range(n_buckets)]
        for block in blocks:
            turned = block.tocsc()
            for bucket, (low, high) in zip(buckets, ranges, strict=True):
                bucket.add(_columns(turned, low, high))
        for bucket, (low, high) in zip(buckets, ranges, strict=True):
            yield bucket.together(high - low)


def _columns(turned: sparse.csc_matrix, low: int, high: int) -> csr_matrix:
    """Give some columns of (n, n_columns) as rows, (high - low, n), without copying their values."""
    bounds = turned.indptr[low : high + 1]
    part = slice(int(bounds[0]), int(bounds[-1]))
    return csr_matrix(
        (turned.data[part], turned.indices[part], bounds - bounds[0]),
        shape=(high - low, turned.shape[0]),
        copy=False,
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """What must be known of a piece to read it again."""

    n_rows: int
    n_values: int
    kind: np.dtype[np.generic]


@dataclass(slots=True)
class _Bucket:
    """Pieces of some columns, (n_columns, n) each, in memory or in a file."""

    path: Path | None
    pieces: list[csr_matrix] = field(default_factory=list)
    heads: list[_Head] = field(default_factory=list)
    """Of each piece that waits in the file."""

    def add(self, piece: csr_matrix) -> None:
        if self.path is None:
            self.pieces.append(piece)
            return
        self.heads.append(_Head(piece.shape[1], piece.nnz, piece.data.dtype))
        with self.path.open("ab") as file:
            for part in (piece.indptr, piece.indices):
                part.astype(np.int32, copy=False).tofile(file)
            piece.data.tofile(file)

    def together(self, n_columns: int) -> csr_matrix:
        """Put the pieces beside each other, (n_columns, N), and forget them."""
        pieces, self.pieces = self.pieces, []
        if self.path is not None and self.heads:
            with self.path.open("rb") as file:
                pieces = [_read(file, n_columns, head) for head in self.heads]
            self.path.unlink()
        if not pieces:
            return csr_matrix((n_columns, 0), dtype=np.float32)
        return csr_matrix(sparse.hstack(pieces, format="csr"))


def _read(file: BinaryIO, n_columns: int, head: _Head) -> csr_matrix:
    """Read the next piece of a file."""
    bounds = np.fromfile(file, dtype=np.int32, count=n_columns + 1)
    places = np.fromfile(file, dtype=np.int32, count=head.n_values)
    values = np.fromfile(file, dtype=head.kind, count=head.n_values)
    return csr_matrix((values, places, bounds), shape=(n_columns, head.n_rows), copy=False)


def _starts(n_columns: int, n_buckets: int, spread: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return where each bucket begins, and the end: as many columns each, or as many values where they are known."""
    if spread is None or not spread.sum():
        return np.linspace(0, n_columns, n_buckets + 1).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(spread)])
    inner = np.searchsorted(before, before[-1] * np.arange(1, n_buckets) / n_buckets)
    return np.array([0, *inner, n_columns], dtype=np.int64)
