"""Denoise the expression of cells, chunk by chunk, and write it by cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from scviz.datasets.layers import CELLS_AT_A_TIME, write_blocks
from scviz.foundation.batching import in_chunks, suitable_batch
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.progress import Report
from scviz.tasks.enhancement import LAYER
from scviz.workspace.chunks import Chunks


def denoised(
    model: FoundationModel,
    adata: AnnData,
    places: NDArray[np.int64],
    *,
    state: Path,
    report: Report,
    stage: str,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Predict the expression of genes in every cell; chunks that an earlier try has finished are read.

    Parameters
    ----------
    places
        (K,) genes, as places in the vocabulary.
    state
        Folder for finished chunks.

    Yields
    ------
    Rows of `adata`, (n,), and their log1p expression, (n, K), none below 0.
    """
    state.mkdir(parents=True, exist_ok=True)
    chunks = Chunks(state)
    chunks.clear_up()

    def expression(tokens: Tokens) -> Tensor:
        return model.predicted_expression(tokens)[:, places].clamp(min=0)

    for number, rows, values in in_chunks(
        model,
        adata,
        expression,
        batch_size=suitable_batch(len(model.vocab)),
        report=report,
        stage=stage,
        finished=chunks.read,
    ):
        chunks.write(number, values)
        yield rows, values


def write_denoised(
    target: Path,
    parts: Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]],
    *,
    known: NDArray[np.bool_],
    n_cells: int,
) -> int:
    """Write denoised expression by cell, and return how many cells got any.

    Parameters
    ----------
    target
        File to write; a draft beside it holds the cells until all are there.
    known
        (G,) genes of the dataset that were denoised; the others stay 0.
    """
    draft = target.with_suffix(".draft")
    columns = np.flatnonzero(known)
    cells = np.memmap(draft, dtype=np.float32, mode="w+", shape=(n_cells, len(columns)))
    n_denoised = 0
    for rows, values in parts:
        cells[rows] = values
        n_denoised += len(rows)

    with h5py.File(target, "w") as file:
        write_blocks(file, LAYER, _blocks(cells, columns, len(known)), n_genes=len(known))
    del cells  # else the draft cannot be removed everywhere
    draft.unlink()
    return n_denoised


def _blocks(cells: NDArray[np.float32], columns: NDArray[np.int64], n_genes: int) -> Iterator[csr_matrix]:
    """Give cells, (n, n_genes) at a time, with the denoised genes at their columns."""
    for start in range(0, len(cells), CELLS_AT_A_TIME):
        block = csr_matrix(cells[start : start + CELLS_AT_A_TIME])
        arrays = (block.data, columns[block.indices], block.indptr)
        yield csr_matrix(arrays, shape=(block.shape[0], n_genes))
