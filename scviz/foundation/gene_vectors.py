"""Vectors of genes in cells chunk by chunk: cells that a model has read are not read again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.model import FoundationModel
from scviz.progress import Progress, Report
from scviz.workspace.chunks import Chunks

CELLS_PER_CHUNK = 16
"""Cells that a resumed run may have to read again."""


def context_vectors(
    model: FoundationModel,
    adata: AnnData,
    *,
    genes: Sequence[str],
    columns: NDArray[np.int64],
    chunks: Chunks,
    report: Report,
    stage: str = "Reading genes in cells",
) -> NDArray[np.float32]:
    """Average the vectors of genes over cells, (G, D); NaN for genes that the model saw in none.

    Each chunk of cells counts as much as it has cells that express the gene.

    Parameters
    ----------
    adata
        (N, ...) the cells, raw counts.
    genes, columns
        Names of the G genes, and where they stand in `adata`.
    chunks
        What is finished.
    """
    total, weight = np.zeros((len(genes), 0)), np.zeros((len(genes), 1))
    for number, start in enumerate(range(0, adata.n_obs, CELLS_PER_CHUNK)):
        report(Progress(stage=stage, done=start, total=adata.n_obs))
        cells = adata[start : start + CELLS_PER_CHUNK]
        means = chunks.read(number)
        if means is None:
            means = model.context_gene_embeddings(cells, genes)
            chunks.write(number, means)
        n_cells = np.asarray((cells.X[:, columns] > 0).sum(axis=0)).reshape(-1, 1)
        n_cells = np.where(np.isfinite(means).all(axis=1, keepdims=True), n_cells, 0)
        total = (total if total.shape[1] else np.zeros(means.shape)) + np.nan_to_num(means) * n_cells
        weight += n_cells
    vectors = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(total, weight, out=vectors, where=weight > 0, casting="same_kind")
    return vectors
