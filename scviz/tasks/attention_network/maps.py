"""The attention of both groups of cells, and their co-expression; what is added up outlives a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.networks.attention import AttentionSum, Setting, influence, ranked_attention
from scviz.progress import Progress
from scviz.tasks.attention_network.inputs import Inputs
from scviz.tasks.context import Context

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(M, M) of both groups."""
SUMS = "sums.npz"
CELLS_PER_SAVE = 32
"""Cells that a resumed run may have to read again."""


def mean_attention(inputs: Inputs, context: Context, *, published: bool) -> Pair:
    """Give the mean attention of both groups, (M, M) each: row attends to column."""
    total = sum(map(len, inputs.groups))
    done, means = 0, []
    for number, rows in enumerate(inputs.groups):
        file = context.state / f"{number}-{SUMS}"
        added, begun = _read(file, len(inputs.columns), published=published)
        for start in range(begun, len(rows), CELLS_PER_SAVE):
            chunk = rows[start : start + CELLS_PER_SAVE]
            context.report(Progress(stage="Reading attention", done=done + start, total=total))
            cells = inputs.model.gene_attention(inputs.adata[chunk], inputs.columns)
            for i, cell in enumerate(cells, start=1):
                added.add(ranked_attention(cell.scores, published=published), cell.places)
                context.report(Progress(stage="Reading attention", done=done + start + i, total=total))
            _write(file, added, n_read=start + len(chunk))
        done += len(rows)
        means.append(added.mean())
    return means[0], means[1]


def _read(file: Path, n_genes: int, *, published: bool) -> tuple[AttentionSum, int]:
    """Read what an earlier try has added up, and how many cells it had read."""
    added = AttentionSum(n_genes, published=published)
    if not file.exists():
        return added, 0
    with np.load(file, allow_pickle=False) as kept:
        added.total, added.n_cells = kept["total"], kept["n_cells"]
        added.n_added = int(kept["n_added"])
        return added, int(kept["n_read"])


def _write(file: Path, added: AttentionSum, *, n_read: int) -> None:
    """Keep the sums, all of them or none."""
    draft = file.with_suffix(".draft")
    with draft.open("wb") as stream:
        np.savez(stream, total=added.total, n_cells=added.n_cells, n_added=added.n_added, n_read=n_read)
    draft.replace(file)


def correlation(expression: sparse.csr_matrix) -> NDArray[np.float64]:
    """Correlate genes over cells, (N, M) -> (M, M); 0 for a gene that is equal in all cells."""
    dense = expression.toarray().astype(np.float64)
    dense -= dense.mean(axis=0)
    norms = np.linalg.norm(dense, axis=0)
    dense /= np.where(norms > 0, norms, 1)
    return np.asarray(dense.T @ dense)


def columns_of(means: Pair, genes: NDArray[np.int64], setting: Setting) -> NDArray[np.float32]:
    """Take how much all genes attend to, or go with, n of them, (n,) -> (n, M); NaN for each gene on itself.

    In single precision, as results are kept: what is judged is what is exported.
    """
    values = np.array([influence(*means, int(gene), setting=setting) for gene in genes], dtype=np.float32)
    values[np.arange(len(genes)), genes] = np.nan
    return values
