"""Embedding of cells chunk by chunk, alone or together with other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.batching import BatchSize, in_chunks, pick_device
from scviz.foundation.model import FoundationModel
from scviz.progress import Progress, Report, silent
from scviz.workspace.chunks import Chunks


def embed_cells(
    model: FoundationModel,
    adata: AnnData,
    chunks: Chunks,
    *,
    batch_size: BatchSize = "auto",
    device: str = "auto",
    report: Report = silent,
    stage: str = "Reading cells",
) -> NDArray[np.float32]:
    """Embed every cell; chunks that are finished are read, and those that others compute are waited for.

    Returns
    -------
    (N, C) cell vectors, NaN for cells in which the model sees no gene; (N, 0) when it sees none in any.
    """
    embedding = np.full((adata.n_obs, 0), np.nan, dtype=np.float32)
    for rows, vectors in embed_chunks(
        model,
        adata,
        chunks,
        chunks.all_of,
        batch_size=batch_size,
        device=device,
        report=report,
        stage=stage,
    ):
        if not embedding.shape[1]:
            embedding = np.full((adata.n_obs, vectors.shape[1]), np.nan, dtype=np.float32)
        embedding[rows] = vectors
    return embedding


def embed_chunks(
    model: FoundationModel,
    adata: AnnData,
    chunks: Chunks,
    numbers: Callable[[int], Iterable[int | None]],
    *,
    batch_size: BatchSize = "auto",
    device: str = "auto",
    report: Report = silent,
    stage: str = "Reading cells",
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Embed chunk by chunk; each is kept in the state folder as soon as it is there.

    Yields
    ------
    Rows of `adata`, (n,), and their vectors, (n, C).
    """
    model.to(pick_device(device))

    def tell(progress: Progress) -> None:
        chunks.keep_claim()
        report(progress)

    try:
        for number, rows, vectors in in_chunks(
            model,
            adata,
            model.encode_cells,
            batch_size=batch_size,
            report=tell,
            stage=stage,
            numbers=numbers,
            finished=chunks.read,
        ):
            chunks.write(number, vectors)
            yield rows, vectors
    finally:
        chunks.give_back()
