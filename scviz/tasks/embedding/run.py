"""Embed, find neighbors, draw the map; then the same with principal components. Other processes may help to embed."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from anndata import AnnData

from scviz.datasets.expression import depth_of, log_expression, principal_components, variable_genes
from scviz.datasets.neighbors import map_of_cells
from scviz.errors import RequestError
from scviz.foundation.batching import Walk, pick_device, time_per_cell
from scviz.foundation.chunks import embed_cells, embed_unclaimed
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.embedding import FLAVORS, NEEDS, Request, Result
from scviz.tasks.needs import refuse_unseen
from scviz.tasks.price import Price
from scviz.workspace.chunks import Chunks


def run(request: Request, context: Context) -> Result:
    """Carry the request out; chunks that an earlier try has finished are not computed again."""
    chunks = Chunks(context.state)
    chunks.clear_up()
    adata, model = context.counts(request.dataset), _model(request, context)
    report, start, read = context.report, time.monotonic(), _read(request, adata)
    refuse_unseen(int((model.n_tokens(read) > 0).sum()), adata.n_obs, NEEDS.cells)
    walk = Walk(model, read, batch_size=request.batch_size or "auto", report=report)
    embedding = embed_cells(walk, chunks)
    seconds = time.monotonic() - start
    seen = ~np.isnan(embedding).any(axis=1) & (embedding.shape[1] > 0)
    draw = partial(
        map_of_cells,
        n_neighbors=request.n_neighbors,
        min_dist=request.min_dist,
        seed=request.seed,
        report=report,
    )
    neighbors, umap = draw(embedding, seen)
    report(Progress(stage="Principal components"))
    depth = depth_of(adata)
    expression = log_expression(adata.X, depth)
    pca = principal_components(expression, genes=variable_genes(expression), seed=request.seed)
    baseline_neighbors, baseline_umap = draw(
        pca, np.ones(adata.n_obs, bool), stage="Drawing the baseline map"
    )
    return Result(
        embedding=embedding,
        umap=umap,
        neighbors=neighbors,
        pca=pca,
        baseline_umap=baseline_umap,
        baseline_neighbors=baseline_neighbors,
        n_unseen=int((~seen).sum()),
        n_genes_seen=model.n_genes_seen(read),
        seconds=seconds,
        notes=(*_note(request, read), *depth.notes),
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
    n_cells = int((model.n_tokens(read) > 0).sum())
    seconds = time_per_cell(model, read) * n_cells
    drawing = 12 + 0.004 * adata.n_obs  # two maps, a rough guess; the constant is the compilation of umap
    return Price(
        seconds=seconds + drawing,
        gigabytes=peak_gb() + 4 * adata.n_obs * 400 / 1e9,
        how=f"{n_cells:,} cells, timed on batches of long, usual and short cells, and two maps",
    )
