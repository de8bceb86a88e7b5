"""Objects of R, from `.rds` and `.RData`: read without R, and without running anything that is in them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.gene_columns import renamed
from scviz.datasets.arriving.r_experiments import experiment, is_experiment
from scviz.datasets.arriving.r_matrices import Piece, RMatrix, joined, lies_elsewhere, matrix_of
from scviz.datasets.arriving.r_objects import RCells, in_order, say_left_out
from scviz.datasets.arriving.r_seurat import is_seurat, seurat
from scviz.datasets.arriving.r_tables import column_values, is_table, numbers, row_names, to_frame
from scviz.datasets.arriving.r_unpacking import unpacked
from scviz.datasets.arriving.r_values import RValue, parse
from scviz.datasets.orientation import genes_are_rows
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted
from scviz.progress import Progress, Report

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("counts", "data", "logcounts")
"""Layers that become X, the first of these that is there."""
KINDS = ("a Seurat object", "a SingleCellExperiment", "a sparse matrix", "a matrix", "a table")


def read_rds(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read what holds cells in a file that R saved: Seurat, SingleCellExperiment, a matrix or a table.

    Parameters
    ----------
    path
        Of `saveRDS` or `save`.
    choices
        `part` is an assay, or an object of several; `turned` is for matrices and tables alone.
    limit
        Bytes that it may unpack to, at most.
    report
        Told how far it is, in cells.

    Raises
    ------
    UnreadableFileError
        If it is damaged, holds no cells, or keeps its values elsewhere.
    UnsafeFileError
        If it unpacks to too much.
    """
    report(Progress(stage="Unpacking the file"))
    data = unpacked(path, limit, report)
    try:
        return _incoming(_found(parse(data, path.name), choices), report)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise UnreadableFileError(
            f"{path.name} is an R object whose parts do not go together: {error}.",
            hint="In R: open it, check it with validObject(x), and save it anew with saveRDS(x, 'cells.rds').",
        ) from error


def _incoming(found: RCells, report: Report) -> Incoming:
    shape = len(found.cells), len(found.genes)
    first = next((one for one in FIRST if one in found.layers), next(iter(found.layers)))
    matrices = {
        "X" if name == first else f"layers/{name.replace('/', '_')}": joined(pieces, shape, report)
        for name, pieces in sorted(found.layers.items(), key=lambda one: one[0] != first)
    }
    notes = list(found.notes)
    if len(found.layers) > 1 or first != "counts":
        notes.insert(
            0,
            f"X holds {first}; the other layers are {', '.join(sorted({*found.layers} - {first})) or 'none'}.",
        )
    return Incoming(
        arrival=Arrival(format=found.kind, parts=found.parts, turned=found.turned, notes=tuple(notes)),
        matrices=matrices,
        cells=found.cells,
        genes=renamed(found.genes),
        embeddings=found.embeddings,
    )


def _found(value: RValue, choices: Choices) -> RCells:
    """Take the object with cells, of one or of several."""
    if _rank(value) < len(KINDS):
        return _read(value, choices, {})
    several = value.items()
    objects = {name: one for name, one in several.items() if _rank(one) < len(KINDS)}
    if not objects:
        return _nested(value, choices)
    best = min(objects, key=lambda name: (_rank(objects[name]), -_size(objects[name])))
    names = in_order(objects, choices.part, (best,))
    found = _read(objects[names[0]], choices, {k: v for k, v in objects.items() if k != names[0]})
    found.kind = f"{found.kind}, {names[0]}"
    return found if len(names) == 1 else _one_of(names, found)


def _nested(value: RValue, choices: Choices) -> RCells:
    """Look into the one list within a list."""
    lists = [one for one in value.items().values() if one.kind == "list" and one.items()]
    if len(lists) != 1:
        raise _no_cells(value)
    return _found(lists[0], choices)


def _one_of(names: tuple[str, ...], found: RCells) -> RCells:
    """Say which of several objects was taken."""
    found.notes.insert(
        0, f"Of {counted(len(names), 'object')}, {names[0]} was taken; the others: {', '.join(names[1:])}."
    )
    found.parts = tuple(dict.fromkeys([*(found.parts or names[:1]), *names]))
    return found


def _rank(value: RValue) -> int:
    """Tell what an object is: a number of `KINDS`, or one more where it holds no cells."""
    tests = (
        is_seurat(value),
        is_experiment(value),
        value.kind == "S4" and (_is_sparse(value) or bool(lies_elsewhere(value))),
        value.kind in ("real", "integer")
        and value.get("dim") is not None
        and len(value.attributes["dim"].values) == 2,
        is_table(value),
    )
    return next((number for number, test in enumerate(tests) if test), len(KINDS))


def _is_sparse(value: RValue) -> bool:
    return value.get("Dim") is not None or value.get("seed") is not None


def _size(value: RValue) -> int:
    """Return how many cells or values, to compare objects of one kind."""
    if is_seurat(value):
        return len(row_names(value.attributes["meta.data"]))
    if is_experiment(value):
        return len(row_names(value.attributes["colData"]))
    dims = value.get("Dim") or value.get("dim")
    return int(np.prod([float(one) for one in dims.values])) if dims is not None else 0


def _read(value: RValue, choices: Choices, others: Mapping[str, RValue]) -> RCells:
    rank = _rank(value)
    if rank < 2:
        return (seurat if rank == 0 else experiment)(value, choices.part)
    package = lies_elsewhere(value)
    if package:
        raise UnreadableFileError(
            f"The values of this matrix lie in other files or are yet to be computed ({package}).",
            hint="In R: saveRDS(as(x, 'dgCMatrix'), 'cells.rds') writes them into the file.",
        )
    notes: list[str] = []
    matrix = _of_table(value, notes) if is_table(value) else matrix_of(value)
    if matrix is None or not min(matrix.shape):
        raise _no_cells(value)
    return _bare(
        matrix,
        choices,
        others,
        kind=f"{KINDS[rank]} of R ({', '.join(value.classes) or 'matrix'})",
        notes=notes,
    )


def _bare(
    matrix: RMatrix, choices: Choices, others: Mapping[str, RValue], *, kind: str, notes: list[str]
) -> RCells:
    """Read a matrix that stands alone; tables of the same cells or genes beside it describe them."""
    turned, why = genes_are_rows(list(matrix.row_names), list(matrix.column_names), turned=choices.turned)
    matrix = matrix if turned else matrix.turned()
    n_genes, n_cells = matrix.shape
    genes = list(matrix.row_names) or [f"gene {i + 1}" for i in range(n_genes)]
    cells = list(matrix.column_names) or [f"cell {i + 1}" for i in range(n_cells)]
    notes = [why, *notes]
    return RCells(
        kind=kind,
        parts=(),
        layers={"counts": [Piece(matrix=matrix, cells=np.arange(n_cells), genes=np.arange(n_genes))]},
        cells=_described(cells, others, what="cells", notes=notes),
        genes=_described(genes, others, what="genes", notes=notes),
        notes=notes,
        turned=turned,
    )


def _described(
    names: list[str], others: Mapping[str, RValue], *, what: str, notes: list[str]
) -> pd.DataFrame:
    """Return the first table that has a row for each name, or an empty one."""
    found = next((k for k, one in others.items() if is_table(one) and {*names} <= {*row_names(one)}), None)
    frame, left_out = to_frame(None if found is None else others[found], names)
    if found is not None:
        notes.append(f"The table {found} describes the {what}; its columns were taken.")
    say_left_out(left_out, notes)
    return frame


def _of_table(table: RValue, notes: list[str]) -> RMatrix | None:
    """Read the columns of numbers of a table; a first column of texts names its rows."""
    from scipy.sparse import csr_matrix

    columns = column_values(table)
    plain = list(filter(lambda name: _is_plain(columns[name]), columns))
    texts = sorted(columns.keys() - set(plain), key=list(columns).index)
    names = row_names(table)
    first = texts[0] if texts and columns[texts[0]].kind == "strings" else ""
    if first and (not names or first == next(iter(columns))):
        names = columns[texts.pop(0)].strings
    say_left_out(texts, notes)
    values = [columns[name] for name in plain]
    lengths = {len(one.values) for one in values}
    if len(lengths) != 1:
        return None
    n = lengths.pop()
    return RMatrix(
        shape=(n, len(values)),
        row_names=names,
        column_names=plain,
        n_values=n * len(values),
        columns=lambda a, b: csr_matrix(np.array([numbers(one) for one in values[a:b]]).reshape(b - a, n)),
    )


def _is_plain(column: RValue) -> bool:
    return column.kind in ("real", "integer") and column.get("levels") is None


def _no_cells(value: RValue) -> UnreadableFileError:
    what = ", ".join(value.classes) or {"list": "a list", "pairs": "several objects"}.get(
        value.kind, "a value"
    )
    inside = ", ".join(
        f"{name} ({', '.join(one.classes) or one.kind})" for name, one in list(value.items().items())[:8]
    )
    return UnreadableFileError(
        f"The R file holds {what} and no cells{': ' + inside if inside else ''}.",
        hint="In R: save a Seurat object, a SingleCellExperiment or a matrix of counts with saveRDS(x, 'cells.rds').",
    )
