"""Embed, find neighbors, draw the map; then the same with principal components. Other processes may help to embed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.columns import n_cells_seen
from scviz.datasets.expression import (
    N_VARIABLE_GENES,
    depth_of,
    log_expression,
    principal_components,
    variable_genes,
)
from scviz.datasets.neighbors import map_of_cells
from scviz.datasets.variable_expression import variable_expression
from scviz.errors import RequestError
from scviz.foundation.batching import Walk, pick_device, time_per_cell, token_counts
from scviz.foundation.chunks import embed_cells, embed_unclaimed
from scviz.foundation.model import FoundationModel
from scviz.memory import GIGABYTE, peak_gb
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.embedding import FLAVORS, NEEDS, Request, Result
from scviz.tasks.needs import refuse_unseen
from scviz.tasks.price import Price
from scviz.workspace.chunks import Chunks

DRAWING_GB = 0.9
"""What a process holds that has drawn the map of a few cells."""
BYTES_OF_MAP, BYTES_OF_NEIGHBORS, BYTES_OF_VALUE = 7_000, 4_000, 26
"""What it takes more to draw the map of one cell; and after that; and to gather one value of a variable gene. Measured
with 700, 8,000 and 100,000 cells."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out; chunks that an earlier try has finished are not computed again."""
    chunks = Chunks(context.state)
    chunks.clear_up()
    found, report = _embedded(request, context, chunks), context.report  # counts and weights are let go of
    embedding, n_cells = found.embedding, len(found.embedding)
    seen = ~np.isnan(embedding).any(axis=1) & (embedding.shape[1] > 0)
    draw = partial(
        map_of_cells,
        n_neighbors=request.n_neighbors,
        min_dist=request.min_dist,
        seed=request.seed,
        report=report,
    )
    neighbors, umap = draw(embedding, seen)
    expression = variable_expression(
        context.workspace.dataset_folder(request.dataset), n_cells, report=report
    )
    report(Progress(stage="Principal components"))
    pca = principal_components(expression, seed=request.seed)
    del expression
    baseline_neighbors, baseline_umap = draw(pca, np.ones(n_cells, bool), stage="Drawing the baseline map")
    return Result(
        embedding=embedding,
        umap=umap,
        neighbors=neighbors,
        pca=pca,
        baseline_umap=baseline_umap,
        baseline_neighbors=baseline_neighbors,
        n_unseen=int((~seen).sum()),
        n_genes_seen=found.n_genes_seen,
        seconds=found.seconds,
        notes=found.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    """What the model made of the cells."""

    embedding: NDArray[np.float32]
    """(N, C), NaN where it sees no gene."""
    n_genes_seen: int
    seconds: float
    notes: tuple[str, ...]


def _embedded(request: Request, context: Context, chunks: Chunks) -> _Embedded:
    """Have the model read the cells."""
    adata, model, start = context.counts(request.dataset), _model(request, context), time.monotonic()
    read = _read(request, adata)
    refuse_unseen(int((token_counts(model, read) > 0).sum()), adata.n_obs, NEEDS.cells)
    walk = Walk(model, read, batch_size=request.batch_size or "auto", report=context.report)
    return _Embedded(
        embedding=embed_cells(walk, chunks),
        n_genes_seen=model.n_genes_seen(read),
        seconds=time.monotonic() - start,
        notes=(*_note(request, read), *depth_of(adata).notes),
    )


def _model(request: Request, context: Context) -> FoundationModel:
    model = context.model(request.checkpoint, "embedding").to(pick_device(context.device))
    if request.most_genes and not model.card.chooses_genes:
        raise RequestError(
            f"{model.card.title} reads all genes that it knows, not the most variable ones only.",
            hint="Leave most variable genes at 0, or choose another model.",
        )
    return model.at_depth(request.read_depth) if request.read_depth else model


def _read(request: Request, adata: AnnData) -> AnnData:
    """Keep the genes that the model is to read, (N, g) raw counts."""
    if not request.most_genes:
        return adata
    raw = request.flavor == "seurat_v3"
    values = adata.X if raw else log_expression(adata.X, depth_of(adata))
    return adata[:, variable_genes(values, request.most_genes, flavor=request.flavor)].copy()


def _note(request: Request, read: AnnData) -> tuple[str, ...]:
    if not request.most_genes:
        return ()
    return (f"The model read the {read.n_vars:,} most variable genes ({FLAVORS[request.flavor]}) only.",)


def help_out(request: Request, context: Context) -> None:
    """Embed chunks of a run that another process carries out, as long as there are some that nobody else has."""
    adata, model = context.counts(request.dataset), _model(request, context)
    walk = Walk(model, _read(request, adata), batch_size=request.batch_size or "auto", report=context.report)
    embed_unclaimed(walk, Chunks(context.state))


def price(request: Request, context: Context) -> Price:
    """Time three batches of long, usual and short cells, and say what the whole will take."""
    adata, model = context.counts(request.dataset), _model(request, context)
    read = _read(request, adata)
    lengths = token_counts(model, read)
    n_cells = int((lengths > 0).sum())
    seconds = time_per_cell(model, read) * n_cells
    drawing = 12 + 0.004 * adata.n_obs  # two maps, a rough guess; the constant is the compilation of umap
    width = model.embed(read[[int(lengths.argmax())]]).shape[1]
    vectors = 4 * adata.n_obs * width / GIGABYTE
    folder = context.workspace.dataset_folder(request.dataset)
    return Price(
        seconds=seconds + drawing,
        gigabytes=vectors + max(peak_gb(), _drawing_gb(folder, adata.n_obs)),
        how=f"{n_cells:,} cells, timed on batches of long, usual and short cells, and two maps",
    )


def _drawing_gb(folder: Path, n_cells: int) -> float:
    """Estimate what the maps of N cells take, when counts and weights are let go of; what the model found aside."""
    values = int(np.sort(n_cells_seen(folder))[-N_VARIABLE_GENES:].sum())  # at most, of so many genes
    variable = BYTES_OF_NEIGHBORS * n_cells + BYTES_OF_VALUE * values
    return DRAWING_GB + max(variable, BYTES_OF_MAP * n_cells) / GIGABYTE
