"""How strongly every cell of a dataset expresses a set of genes, read gene by gene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_blocks, gene_names, gene_values
from scviz.errors import RequestError
from scviz.networks.module_scores import bins_of_means, control_genes

How = Literal["controls", "z"]
HOWS: dict[How, str] = {"controls": "Less control genes", "z": "Mean z score"}
"""How a set is scored: as scanpy's score_genes does, or by the mean of its standardized genes."""
MOST_CELLS = 200_000
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
    chosen = list(dict.fromkeys(genes))
    if how == "z":
        total, used = np.zeros(n_cells), 0
        for gene in chosen:
            used += _add_z(total, folder, gene)
        score, n_controls = total / max(used, 1), 0
    else:
        score, n_controls = _less_controls(folder, chosen, n_cells)
        used = len(chosen)
    if not used or not np.any(score):
        raise RequestError("No cell expresses any gene of this set.", hint="Choose other genes.")
    return SetScore(values=score.astype(np.float32), n_genes=used, n_controls=n_controls)


def _add_z(total: NDArray[np.float64], folder: Path, gene: str) -> int:
    """Add a standardized gene to the sum of each cell, (N,); 0 where all cells are alike."""
    rows, values = gene_values(folder, gene)
    n = len(total)
    mean = float(values.sum(dtype=np.float64)) / n
    spread = np.sqrt(max(0.0, float((values.astype(np.float64) ** 2).sum()) / n - mean**2))
    if spread == 0:
        return 0
    total -= mean / spread
    total[rows] += values / spread
    return 1


def _less_controls(folder: Path, genes: list[str], n_cells: int) -> tuple[NDArray[np.float64], int]:
    """Subtract the mean of control genes from that of the set, (N,); and how many controls there are."""
    names, score = gene_names(folder), np.zeros(n_cells)
    places = {name: place for place, name in enumerate(names)}
    own = np.array([places[gene] for gene in genes], dtype=np.int64)
    if not len(own):
        return score, 0
    controls = control_genes(_bins(folder, n_cells), own)
    for weight, members in ((1 / len(own), own), (-1 / max(1, len(controls)), controls)):
        for place in members.tolist():
            rows, values = gene_values(folder, names[place])
            score[rows] += weight * values
    return score, len(controls)


@lru_cache(maxsize=8)
def _bins(folder: Path, n_cells: int) -> NDArray[np.int64]:
    """Put genes of like mean expression into one bin, (G,)."""
    means = [np.asarray(block.sum(axis=0)).ravel() / n_cells for block in gene_blocks(folder, n_cells)]
    return bins_of_means(np.concatenate(means))
