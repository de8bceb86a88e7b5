"""Expression of the genes that vary most, read gene by gene: never more than these genes of all cells at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, hstack

from scviz.datasets.columns import gene_blocks, gene_names
from scviz.datasets.expression import N_VARIABLE_GENES
from scviz.errors import DataError
from scviz.progress import Progress, Report, silent

N_BINS = 20
"""Of mean expression; genes are compared with those of their bin."""
LEAST_VARIANCE = 1e-10
"""Of the squared mean: a gene that varies less is constant but for rounding."""
FEWEST_GENES = 3
"""With fewer genes that vary there are no two principal components."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Mean and variance of scaled counts of G genes."""

    mean: NDArray[np.float64]
    """(G,) over all cells."""
    variance: NDArray[np.float64]
    """(G,) with N - 1 below."""

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Whether a gene differs between cells, (G,)."""
        return self.variance > LEAST_VARIANCE * self.mean**2


def variable_expression(
    folder: Path, n_cells: int, *, n_genes: int = N_VARIABLE_GENES, report: Report = silent
) -> csr_matrix:
    """Read the genes that vary most, as `expression.variable_genes` chooses them.

    Parameters
    ----------
    folder
        Folder of the dataset, N cells.
    report
        Told how many genes were read.

    Returns
    -------
    (N, g) log1p expression, genes in their order; fewer than asked for where fewer vary.

    Raises
    ------
    DataError
        If next to no gene differs between cells.
    """
    names = gene_names(folder)
    found = gene_moments(_reported(folder, n_cells, report, stage="Finding variable genes"), n_cells)
    chosen = np.zeros(len(names), dtype=bool)
    chosen[dispersed_genes(found, n_genes)] = True
    if chosen.sum() < FEWEST_GENES:
        raise DataError(
            f"{int(chosen.sum()):,} of {len(names):,} genes differ between these {n_cells:,} cells; a map needs "
            f"{FEWEST_GENES} or more.",
            hint="Look on the Data page whether the right matrix was taken for counts.",
        )
    parts, start = [], 0
    for block in _reported(folder, n_cells, report, stage="Reading variable genes"):
        parts.append(block[:, np.flatnonzero(chosen[start : start + block.shape[1]])])
        start += block.shape[1]
    return csr_matrix(hstack(parts, format="csr"))


def gene_moments(blocks: Iterator[csc_matrix], n_cells: int) -> Moments:
    """Add up scaled counts and their squares, gene by gene, from log1p expression, (N, g) at a time."""
    sums: list[NDArray[np.float64]] = [np.zeros(0)]
    squares: list[NDArray[np.float64]] = [np.zeros(0)]
    for block in blocks:
        values = np.expm1(block.data.astype(np.float64))
        seen = np.flatnonzero(np.diff(block.indptr))  # (s,) genes with values, which lie together
        for added, weights in ((sums, values), (squares, values**2)):
            of_genes = np.zeros(block.shape[1])
            if len(seen):
                of_genes[seen] = np.add.reduceat(weights, block.indptr[seen])
            added.append(of_genes)
    mean = np.concatenate(sums) / max(n_cells, 1)
    off = np.concatenate(squares) - n_cells * mean**2
    return Moments(mean=mean, variance=np.maximum(off, 0.0) / max(n_cells - 1, 1))


def dispersed_genes(moments: Moments, n_genes: int) -> NDArray[np.int64]:
    """Pick the genes whose dispersion is highest among genes of like mean, (g,) positions in their order."""
    off = normalized_dispersion(moments)
    best = np.argsort(-off, kind="stable")[: min(n_genes, np.isfinite(off).sum())]
    return np.sort(best)


def normalized_dispersion(moments: Moments) -> NDArray[np.float64]:
    """Tell how far the dispersion of each gene is above that of genes of like mean, (G,); NaN where none varies.

    References
    ----------
    Satija et al. (2015), doi:10.1038/nbt.3192, as scanpy computes it.
    """
    off = np.full(len(moments.mean), np.nan)
    able = np.flatnonzero(moments.varies)
    if not len(able):
        return off
    mean, variance = moments.mean[able], moments.variance[able]
    table = pd.DataFrame({"dispersion": np.log(variance / mean), "bin": pd.cut(np.log1p(mean), N_BINS)})
    by_bin = table.groupby("bin", observed=True)["dispersion"]
    middle, spread = by_bin.transform("mean"), by_bin.transform("std")
    alone = spread.isna()  # the only gene of its bin
    off[able] = np.where(alone, 1.0, (table["dispersion"] - middle) / spread.mask(spread == 0, 1.0))
    return off


def _reported(folder: Path, n_cells: int, report: Report, *, stage: str) -> Iterator[csc_matrix]:
    """Give the expression of all genes, (N, g) at a time, and say how far it is."""
    done, total = 0, len(gene_names(folder))
    report(Progress(stage=stage, done=0, total=total))
    for block in gene_blocks(folder, n_cells):
        yield block
        done += block.shape[1]
        report(Progress(stage=stage, done=done, total=total))
