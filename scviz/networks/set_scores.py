"""How strongly every cell of a dataset expresses a set of genes, read gene by gene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_blocks, gene_names, values_of_genes
from scviz.errors import RequestError
from scviz.networks.module_scores import bins_of_means, control_genes

How = Literal["controls", "z"]
HOWS: dict[How, str] = {"controls": "Less control genes", "z": "Mean z score"}
"""How a set is scored: as scanpy's score_genes does, or by the mean of its standardized genes."""
MOST_CELLS = 100_000
"""With more cells the mean of every gene takes too long to wait for, and with it the choice of control genes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetScore:
    """The score of a set in every cell."""

    values: NDArray[np.float32]
    """(N,)."""
    n_genes: int
    """Genes of the set that are in the dataset and expressed."""
    n_controls: int
    """Genes that they are compared with; 0 for z scores."""


def set_score(folder: Path, genes: Iterable[str], *, n_cells: int, how: How = "controls") -> SetScore:
    """Score a set of genes in every cell, on log expression.

    By "controls" it is the mean of the genes less that of control genes, up to 50 of each of 25 bins of mean
    expression in which the set has genes, drawn as `scanpy.tl.score_genes` draws them with seed 0. By "z" it is the
    mean of the genes, each scaled to mean 0 and standard deviation 1 over all cells.

    Parameters
    ----------
    folder
        Folder of the dataset.
    genes
        Names of the dataset.

    Raises
    ------
    RequestError
        If no cell expresses any of them.
    """
    places = {name: place for place, name in enumerate(gene_names(folder))}
    own = np.array([places[gene] for gene in dict.fromkeys(genes)], dtype=np.int64)
    if how == "z":
        total, used = np.zeros(n_cells), 0
        for rows, values in values_of_genes(folder, own.tolist()):
            used += _add_z(total, rows, values)
        score, n_controls = total / max(used, 1), 0
    else:
        score, n_controls = _less_controls(folder, own, n_cells)
        used = len(own)
    if not used or not np.any(score):
        raise RequestError("No cell expresses any gene of this set.", hint="Choose other genes.")
    return SetScore(values=score.astype(np.float32), n_genes=used, n_controls=n_controls)


def _add_z(total: NDArray[np.float64], rows: NDArray[np.int32], values: NDArray[np.float32]) -> int:
    """Add a standardized gene to the sum of each cell, (N,); 0 where all cells are alike."""
    n = len(total)
    mean = float(values.sum(dtype=np.float64)) / n
    spread = np.sqrt(max(0.0, float((values.astype(np.float64) ** 2).sum()) / n - mean**2))
    if spread == 0:
        return 0
    total -= mean / spread
    total[rows] += values / spread
    return 1


def _less_controls(folder: Path, own: NDArray[np.int64], n_cells: int) -> tuple[NDArray[np.float64], int]:
    """Subtract the mean of control genes from that of the set, (N,); and how many controls there are."""
    score, start = np.zeros(n_cells), 0
    if not len(own):
        return score, 0
    bins = _bins(folder, n_cells)
    controls = control_genes(bins, own)
    weights = np.zeros(len(bins))
    weights[controls] = -1 / max(1, len(controls))
    weights[own] = 1 / len(own)
    for block in gene_blocks(folder, n_cells):  # one pass is quicker than hundreds of genes one by one
        part = weights[start : start + block.shape[1]]
        score += block @ part if part.any() else 0.0
        start += block.shape[1]
    return score, len(controls)


@lru_cache(maxsize=8)
def _bins(folder: Path, n_cells: int) -> NDArray[np.int64]:
    """Put genes of like mean expression into one bin, (G,)."""
    means = [np.asarray(block.sum(axis=0)).ravel() / n_cells for block in gene_blocks(folder, n_cells)]
    return bins_of_means(np.concatenate(means))
