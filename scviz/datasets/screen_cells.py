"""From raw counts, and what a column says of each cell, to a perturbation screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression, variable_genes
from scviz.datasets.genes import identifiers
from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import DataError, MissingColumnError


def screen_of(
    adata: AnnData,
    column: str,
    mapping: Mapping[str, Perturbation | None],
    *,
    most_genes: int | None = None,
) -> Screen:
    """Make a screen of the cells whose perturbation is known, control first and the others sorted.

    Parameters
    ----------
    adata
        (N, G) raw counts; it stays as it is.
    column
        Column of `obs` that says what was perturbed.
    mapping
        Perturbation of each value, as `read_conditions` gives it; cells with another value, or one that was not
        understood, are left out.
    most_genes
        Keep as many of the most variable genes, and besides them every perturbed gene that is measured; None
        keeps all genes. Expression is relative to the counts of all genes either way,
        see `depth_of`.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    DataError
        If no cell is left, or no control cell.
    """
    each = {row: mapping.get(value) for row, value in enumerate(_values(adata, column))}
    kept = {row: one for row, one in each.items() if one is not None}
    rows, perturbations = np.array(list(kept), dtype=np.int64), sorted(set(kept.values()))
    if CONTROL not in perturbations:
        raise DataError(
            f"No cell is control by the column {column!r}.", hint="Tell which of its values is control."
        )
    place = {one: i for i, one in enumerate(perturbations)}
    codes = np.array([place[one] for one in kept.values()], dtype=np.int64)
    names = identifiers(adata.var).names
    expression = log_expression(sp.csr_matrix(adata.X[rows]), depth_of(adata).of(rows))
    if most_genes is not None and most_genes < len(names):
        columns = _columns(expression, names, perturbations, most=most_genes)
        expression, names = sp.csr_matrix(expression[:, columns]), tuple(names[i] for i in columns)
    return Screen(
        expression=expression,
        genes=names,
        perturbations=tuple(perturbations),
        codes=codes,
    )


def _values(adata: AnnData, column: str) -> list[str]:
    if column not in adata.obs:
        raise MissingColumnError(
            f"The dataset has no column {column!r}.", hint=f"Its columns are: {', '.join(adata.obs.columns)}."
        )
    return [str(value) for value in adata.obs[column]]


def _columns(
    expression: sp.csr_matrix, names: Sequence[str], perturbations: Sequence[Perturbation], *, most: int
) -> NDArray[np.int64]:
    """Choose the most variable genes of (N, G) expression, and the perturbed ones, ascending."""
    targets = {gene for one in perturbations for gene in one}
    perturbed = [i for i, name in enumerate(names) if name in targets]
    return np.union1d(variable_genes(expression, most), perturbed).astype(np.int64)
