"""SummarizedExperiment, SingleCellExperiment and what extends them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scviz.datasets.arriving.r_matrices import Piece, RMatrix
from scviz.datasets.arriving.r_objects import RCells, aligned, in_order, readable, say_left_out
from scviz.datasets.arriving.r_tables import is_table, row_names, to_frame
from scviz.datasets.arriving.r_values import NULL, RValue
from scviz.errors import UnreadableFileError


def is_experiment(value: RValue) -> bool:
    """Tell whether a value is a SummarizedExperiment or one that extends it."""
    return {"assays", "colData"} <= set(value.attributes)


def experiment(value: RValue, part: str) -> RCells:
    """Read the main experiment of a SingleCellExperiment, or an alternative one.

    Raises
    ------
    UnreadableFileError
        If no assay lies in the file itself.
    """
    inner = _listed(value.get("int_colData"))
    others = {name: _alternative(one) for name, one in _listed(inner.get("altExps")).items()}
    metadata = (value.get("int_metadata") or NULL).items()
    own = "".join(metadata.get("mainExpName", NULL).strings) or "main"
    parts = in_order({own: value, **others}, part, (own,))
    notes: list[str] = []
    taken = others.get(parts[0], value)
    matrices = readable(_assays(taken), notes)
    first = next(iter(matrices.values()))
    numbered = [f"cell {i + 1}" for i in range(first.shape[1])]
    cell_names = row_names(value.attributes["colData"]) or list(first.column_names) or numbered
    gene_names, features = _features(taken, first)
    genes, more = to_frame(features, gene_names)
    cells, left_out = to_frame(value.attributes["colData"], cell_names)
    layers = _whole(matrices, (len(gene_names), len(cell_names)), notes)
    say_left_out([*left_out, *more], notes)
    reduced = _listed(inner.get("reducedDims")) or _listed(value.get("reducedDims"))
    return RCells(
        kind=f"a {' '.join(value.classes[:1])} of Bioconductor",
        parts=parts if len(parts) > 1 else (),
        layers=layers,
        cells=cells,
        genes=genes,
        embeddings=aligned(reduced, cell_names, notes),
        notes=notes,
    )


def _whole(
    matrices: Mapping[str, RMatrix], shape: tuple[int, int], notes: list[str]
) -> dict[str, list[Piece]]:
    """Take matrices that hold every gene and cell in order."""
    kept = {}
    for name, matrix in matrices.items():
        if matrix.shape == shape:
            kept[name] = [Piece(matrix=matrix, genes=np.arange(shape[0]), cells=np.arange(shape[1]))]
        else:
            notes.append(f"The assay {name} was left out: it has other cells or genes.")
    if not kept:
        raise UnreadableFileError("No matrix of the R object fits its names of cells and genes.")
    return kept


def _listed(value: RValue | None) -> dict[str, RValue]:
    """Return the elements of a list of Bioconductor by name."""
    inner = value.get("listData") if value is not None else None
    return {} if inner is None else inner.items()


def _assays(value: RValue) -> dict[str, RValue]:
    assays = value.attributes["assays"]
    paths = (("data", "listData"), ("listData",), (".xData", "data", "listData"))
    inner = next((one for path in paths if (one := assays.get(*path)) is not None), None)
    found = {} if inner is None else inner.items()
    return {("counts" if name == "1" else name): one for name, one in found.items()}


def _alternative(value: RValue) -> RValue:
    """Return the experiment inside what wraps an alternative one."""
    return value.get("se") or value


def _features(value: RValue, matrix: RMatrix) -> tuple[list[str], RValue | None]:
    """Return the names of genes and what else is known of them."""
    holder = value.get("rowRanges") or value
    table = holder.get("elementMetadata")
    table = table if table is not None and is_table(table) else None
    paths = (("partitioning", "NAMES"), ("ranges", "NAMES"), ("NAMES",))
    named = [(holder.get(*path) or NULL).strings for path in paths]
    candidates = [*named, list(matrix.row_names), row_names(table or NULL)]
    numbered = [f"gene {i + 1}" for i in range(matrix.shape[0])]
    return next((names for names in candidates if names), numbered), table
