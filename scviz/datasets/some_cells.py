"""Expression of a few genes in some cells of each group, drawn by one rule, as pages draw it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_values

SEED = 0


def some_rows(groups: NDArray[np.integer], n_groups: int, most: int) -> list[NDArray[np.int64]]:
    """Draw cells of each group at random, without repetition, always the same ones.

    Parameters
    ----------
    groups
        (N,) group of each cell, 0 to K - 1; below 0 for cells in none.
    most
        Cells of a group; all where there are fewer.

    Returns
    -------
    Of each group, rows of the dataset, ascending.
    """
    rng = np.random.default_rng(SEED)
    found = []
    for k in range(n_groups):
        rows = np.flatnonzero(groups == k)
        found.append(rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False)))
    return found


def expression_of(
    folder: Path, genes: Sequence[str], rows: NDArray[np.int64], *, n_cells: int
) -> NDArray[np.float32]:
    """Read the log expression of genes in cells.

    Parameters
    ----------
    rows
        (n,) rows of the dataset.

    Returns
    -------
    (g, n).
    """
    found = np.zeros((len(genes), len(rows)), dtype=np.float32)
    for i, gene in enumerate(genes):
        own, values = gene_values(folder, gene)
        whole = np.zeros(n_cells, dtype=np.float32)
        whole[own] = values
        found[i] = whole[rows]
    return found
