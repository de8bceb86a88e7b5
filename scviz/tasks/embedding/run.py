"""Embed, find neighbors, draw the map; then the same with principal components. Other processes may help to embed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import log_expression, principal_components, variable_genes
from scviz.foundation.batching import in_chunks, longest_first, pick_device, suitable_batch
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.progress import Progress, Report
from scviz.tasks.context import Context
from scviz.tasks.embedding import Request, Result
from scviz.tasks.embedding.chunks import Chunks
from scviz.tasks.price import Price

MANY_CELLS = 30_000
"""From this many cells on neighbors are found approximately."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out; chunks that an earlier try has finished are not computed again."""
    chunks = Chunks(context.state)
    chunks.clear_up()
    adata, model = context.counts(request.dataset), context.model(request.checkpoint, "embedding")
    report = context.report
    start = time.monotonic()
    embedding = np.full((adata.n_obs, 0), np.nan, dtype=np.float32)
    for rows, vectors in _embed(model, adata, request, context, chunks, chunks.all_of):
        if not embedding.shape[1]:
            embedding = np.full((adata.n_obs, vectors.shape[1]), np.nan, dtype=np.float32)
        embedding[rows] = vectors
    seconds = time.monotonic() - start
    seen = ~np.isnan(embedding).any(axis=1) & (embedding.shape[1] > 0)
    neighbors, umap = map_of_cells(embedding, seen, request, report, "Drawing the map")
    report(Progress(stage="Principal components"))
    expression = log_expression(adata.X)
    pca = principal_components(expression, genes=variable_genes(expression), seed=request.seed)
    baseline_neighbors, baseline_umap = map_of_cells(
        pca, np.ones(adata.n_obs, bool), request, report, "Drawing the baseline map"
    )
    return Result(
        embedding=embedding,
        umap=umap,
        neighbors=neighbors,
        pca=pca,
        baseline_umap=baseline_umap,
        baseline_neighbors=baseline_neighbors,
        n_unseen=int((~seen).sum()),
        n_genes_seen=model.n_genes_seen(adata),
        seconds=seconds,
    )


def help_out(request: Request, context: Context) -> None:
    """Embed chunks of a run that another process carries out, as long as there are some that nobody else has."""
    chunks = Chunks(context.state)
    adata, model = context.counts(request.dataset), context.model(request.checkpoint, "embedding")
    for _ in _embed(model, adata, request, context, chunks, chunks.unclaimed_of):
        pass  # each is in the state folder now


def _embed(
    model: FoundationModel,
    adata: AnnData,
    request: Request,
    context: Context,
    chunks: Chunks,
    numbers: Callable[[int], Iterable[int | None]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Embed chunk by chunk; each is kept in the state folder as soon as it is there."""
    model.to(pick_device(context.device))

    def report(progress: Progress) -> None:
        chunks.keep_claim()
        context.report(progress)

    try:
        for number, rows, vectors in in_chunks(
            model,
            adata,
            model.encode_cells,
            batch_size=request.batch_size or "auto",
            report=report,
            numbers=numbers,
            finished=chunks.read,
        ):
            chunks.write(number, vectors)
            yield rows, vectors
    finally:
        chunks.give_back()


def map_of_cells(
    vectors: NDArray[np.float32], seen: NDArray[np.bool_], request: Request, report: Report, stage: str
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find neighbors and draw the map.

    Parameters
    ----------
    vectors
        (N, C) cell vectors.
    seen
        (N,) cells that have a vector.

    Returns
    -------
    Neighbors, (N, k), -1 where not seen; and the map, (N, 2), NaN where not seen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # it misses tensorflow, which is not needed
        from umap import UMAP

    report(Progress(stage=stage))
    rows = np.flatnonzero(seen)
    neighbors = np.full((len(vectors), min(request.n_neighbors, max(len(rows) - 1, 0))), -1, dtype=np.int32)
    layout = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    if len(rows) <= 4:  # no map of so few
        layout[rows] = 0
        return neighbors, layout
    found, distances = nearest(vectors[rows], neighbors.shape[1] + 1, seed=request.seed)
    neighbors[rows] = rows[found[:, 1:]]
    report(Progress(stage=stage))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed seed costs threads; that is wanted
        layout[rows] = UMAP(
            n_neighbors=found.shape[1],
            min_dist=request.min_dist,
            random_state=request.seed,
            init="spectral" if len(rows) > 60 else "random",
            precomputed_knn=(found, distances, None),
        ).fit_transform(vectors[rows])
    return neighbors, layout


def nearest(
    vectors: NDArray[np.float32], k: int, *, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the k nearest cells of each cell, itself first.

    Returns
    -------
    Positions and Euclidean distances, both (N, k), nearest first. Exact below MANY_CELLS cells.
    """
    if len(vectors) < MANY_CELLS:
        from sklearn.neighbors import NearestNeighbors

        distances, found = NearestNeighbors(n_neighbors=k, n_jobs=-1).fit(vectors).kneighbors(vectors)
    else:
        from pynndescent import NNDescent

        found, distances = NNDescent(vectors, n_neighbors=k, random_state=seed).neighbor_graph
    own = np.arange(len(vectors))
    at = np.argmax(found == own[:, None], axis=1)  # a twin at distance 0 may come before the cell itself
    found[own, at], found[:, 0] = found[:, 0].copy(), own
    return found.astype(np.int32), distances.astype(np.float32)


def price(request: Request, context: Context) -> Price:
    """Time three batches of long, usual and short cells, and say what the whole will take."""
    adata, model = context.counts(request.dataset), context.model(request.checkpoint, "embedding")
    model.to(pick_device(context.device)).eval()
    order = longest_first(model.n_tokens(adata))
    seconds = time_per_cell(model, adata, order) * len(order)
    drawing = 12 + 0.004 * adata.n_obs  # two maps, measured on two cores; the constant is compilation
    return Price(
        seconds=seconds + drawing,
        gigabytes=peak_gb() + 4 * adata.n_obs * 400 / 1e9,
        how=f"{len(order):,} cells, timed on batches of long, usual and short cells, and two maps",
    )


def time_per_cell(model: FoundationModel, adata: AnnData, order: NDArray[np.int64]) -> float:
    """Time batches at three places of the cells in order of length and return the mean seconds a cell takes."""
    import torch

    costs = []
    for share in (0.0, 0.5, 0.9):
        rows = order[int(share * len(order)) :]
        tokens = model.tokenize(adata[rows[: suitable_batch(int(model.n_tokens(adata[rows[:1]])[0]))]])
        with torch.inference_mode():
            model.encode_cells(tokens)
            start = time.perf_counter()
            model.encode_cells(tokens)
        costs.append((time.perf_counter() - start) / len(tokens))
    return float(np.mean(costs))
