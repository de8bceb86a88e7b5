"""Matrices of R, genes x cells: sparse ones of the package Matrix, and dense ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.r_tables import NA, native
from scviz.datasets.arriving.r_values import RValue
from scviz.errors import UnreadableFileError
from scviz.progress import Progress, Report

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLOCK = 4_000_000
"""Values of one block."""
ELSEWHERE = {"BPCells": "BPCells", "HDF5Array": "HDF5Array", "DelayedArray": "DelayedArray"}
"""Packages whose matrices keep their values in other files, or as work that is still to be done."""
DENSE = ("dgeMatrix", "lgeMatrix", "ngeMatrix", "dsyMatrix")


@dataclass(frozen=True, slots=True, kw_only=True)
class RMatrix:
    """A matrix of R with n rows and m columns."""

    shape: tuple[int, int]
    """(n, m)"""
    row_names: Sequence[str]
    """(n,) or empty."""
    column_names: Sequence[str]
    """(m,) or empty."""
    n_values: int
    """How many values are stored."""
    columns: Callable[[int, int], csr_matrix]
    """Gives some columns, from and to, as the rows (b - a, n) of a sparse matrix."""

    def turned(self) -> RMatrix:
        """Return the matrix with its rows and columns swapped, in memory."""
        from scipy.sparse import vstack

        n, m = self.shape
        step = max(1, BLOCK // max(n, 1))
        rows = vstack([self.columns(a, min(a + step, m)) for a in range(0, m, step)], format="csr")  # (m, n)
        whole = rows.T.tocsr()  # (n, m)
        return RMatrix(
            shape=(m, n),
            row_names=self.column_names,
            column_names=self.row_names,
            n_values=whole.nnz,
            columns=lambda a, b: whole[a:b],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A matrix that holds some of the cells and genes of a layer."""

    matrix: RMatrix
    cells: NDArray[np.int64]
    """(m,) where each of its columns stands among the cells of the layer, -1 where it does not."""
    genes: NDArray[np.int64]
    """(n,) the same of its rows."""


def lies_elsewhere(value: RValue) -> str:
    """Return the package of a matrix that lies in other files, or is a plan of work; empty for any other."""
    kind = value.get("class")
    package = None if kind is None else kind.get("package")
    name = "" if package is None else "".join(package.strings)
    return ELSEWHERE.get(name, "") if name != "DelayedArray" or matrix_of(value) is None else ""


def matrix_of(value: RValue) -> RMatrix | None:
    """Return a value as a matrix; None where it is none, or its values lie elsewhere.

    Raises
    ------
    UnreadableFileError
        If its parts do not go together.
    """
    kind = value.classes[0] if value.classes else ""
    if kind == "DelayedMatrix":  # a plan without any work is its seed
        seed = value.get("seed")
        return None if seed is None else matrix_of(seed)
    if kind[1:] in ("gCMatrix", "gRMatrix", "gTMatrix"):
        return _sparse(value, kind)
    dims = value.get("Dim") if kind in DENSE else value.get("dim")
    values = value.get("x") if kind in DENSE else value
    if dims is None or values is None or values.kind not in ("real", "integer", "logical"):
        return None
    return _dense(value, values, shape_of(dims))


def shape_of(dims: RValue) -> tuple[int, int]:
    """Return the rows and columns that a matrix declares.

    Raises
    ------
    UnreadableFileError
        If there are other than two.
    """
    if len(dims.values) != 2 or min(dims.values) < 0:
        raise UnreadableFileError("A matrix of the R object does not have two dimensions.")
    return int(dims.values[0]), int(dims.values[1])


def joined(
    pieces: Sequence[Piece], shape: tuple[int, int], report: Report
) -> Callable[[], Iterator[csr_matrix]]:
    """Return what gives the cells of a layer in order, some at a time.

    Parameters
    ----------
    pieces
        Each holds other cells of the layer.
    shape
        N cells, G genes.
    report
        Told how many cells were read.

    Returns
    -------
    A function that gives (n, G) counts at a time.
    """
    n_cells, n_genes = shape
    owner, column = np.full(n_cells, -1), np.zeros(n_cells, dtype=np.int64)
    for number, piece in enumerate(pieces):
        known = np.flatnonzero(piece.cells >= 0)
        owner[piece.cells[known]], column[piece.cells[known]] = number, known
    breaks = (np.diff(owner) != 0) | ((np.diff(column) != 1) & (owner[1:] >= 0))
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1, [n_cells]])
    n_values = sum(piece.matrix.n_values for piece in pieces)
    step = max(1, min(n_cells, BLOCK * max(n_cells, 1) // max(n_values, 1)))

    def blocks() -> Iterator[csr_matrix]:
        from scipy.sparse import csr_matrix, vstack

        for first in range(0, n_cells, step):
            last = min(first + step, n_cells)
            inner = starts[(starts > first) & (starts < last)]
            rows = []
            for a, b in zip([first, *inner], [*inner, last], strict=True):
                if owner[a] < 0:
                    rows.append(csr_matrix((b - a, n_genes)))
                    continue
                piece = pieces[owner[a]]
                rows.append(_placed(piece.matrix.columns(column[a], column[b - 1] + 1), piece.genes, n_genes))
            report(Progress(stage="Reading cells", done=last, total=n_cells))
            yield rows[0] if len(rows) == 1 else vstack(rows, format="csr")

    return blocks


def _placed(rows: csr_matrix, genes: NDArray[np.int64], n_genes: int) -> csr_matrix:
    """Move the genes of a piece (n, g) to their places among those of the layer (n, G)."""
    from scipy.sparse import csr_matrix

    if len(genes) == n_genes and np.array_equal(genes, np.arange(n_genes)):
        return rows
    moved = csr_matrix((rows.data, genes[rows.indices], rows.indptr), shape=(rows.shape[0], n_genes))
    moved.sort_indices()
    return moved


def _names(value: RValue, slot: str, axis: int) -> list[str]:
    both = value.get(slot)
    return both.values[axis].strings if both is not None and len(both.values) == 2 else []


def _sparse(value: RValue, kind: str) -> RMatrix:
    from scipy.sparse import csc_matrix

    n, m = shape_of(value.attributes["Dim"])
    parts = {name: value.get(name) for name in ("i", "j", "p", "x")}
    arrays = {name: part.values for name, part in parts.items() if part is not None and part.kind != "other"}
    first = arrays["i" if kind[2] != "R" else "j"]
    values = arrays.get("x", np.broadcast_to(np.float64(1), len(first)))
    if kind[2] == "C":
        columns = _compressed(arrays["p"], first, values, shape=(n, m))
    else:
        data = _values(values)
        inner = native(first)
        if kind[2] == "R":
            rows = np.repeat(np.arange(n), np.diff(native(arrays["p"])))
            whole = csc_matrix((data, (rows, inner)), shape=(n, m))
        else:
            whole = csc_matrix((data, (inner, native(arrays["j"]))), shape=(n, m))
        columns = lambda a, b: whole[:, a:b].T.tocsr()  # noqa: E731
    return RMatrix(
        shape=(n, m),
        row_names=_names(value, "Dimnames", 0),
        column_names=_names(value, "Dimnames", 1),
        n_values=len(first),
        columns=columns,
    )


def _compressed(
    bounds: NDArray[Any], rows: NDArray[Any], values: NDArray[Any], *, shape: tuple[int, int]
) -> Callable[[int, int], csr_matrix]:
    """Read a matrix that is stored by column, which is by cell."""
    from scipy.sparse import csr_matrix

    n, m = shape
    ends = native(bounds).astype(np.int64)  # (m + 1,)
    sound = len(ends) == m + 1 and ends[0] == 0 and (np.diff(ends) >= 0).all()
    if not sound or ends[-1] > min(len(rows), len(values)):
        raise UnreadableFileError("A sparse matrix of the R object is damaged: its columns do not add up.")

    def columns(a: int, b: int) -> csr_matrix:
        part = slice(ends[a], ends[b])
        indices = native(rows[part])
        if len(indices) and not 0 <= indices.min() <= indices.max() < n:
            raise UnreadableFileError(
                "A sparse matrix of the R object is damaged: it has rows without a name."
            )
        found = csr_matrix((_values(values[part]), indices, ends[a : b + 1] - ends[a]), shape=(b - a, n))
        if not found.has_sorted_indices:
            found.sort_indices()
        return found

    return columns


def _dense(value: RValue, values: RValue, shape: tuple[int, int]) -> RMatrix:
    from scipy.sparse import csr_matrix

    n, m = shape
    if len(values.values) != n * m:
        raise UnreadableFileError("A matrix of the R object is damaged: its values do not fill it.")
    slot = "Dimnames" if value.get("Dimnames") is not None else "dimnames"
    return RMatrix(
        shape=shape,
        row_names=_names(value, slot, 0),
        column_names=_names(value, slot, 1),
        n_values=n * m,
        columns=lambda a, b: csr_matrix(_values(values.values[a * n : b * n]).reshape(b - a, n)),
    )


def _values(values: NDArray[Any]) -> NDArray[Any]:
    """Return values (n,) that scipy can use; NaN where R has NA."""
    own = native(values)
    if own.dtype == np.int32 and len(own) and own.min() == NA:
        return np.where(own == NA, np.nan, own.astype(np.float64))
    return own
