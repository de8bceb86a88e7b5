"""Check on down-sampled cells, then denoise all cells."""

from __future__ import annotations

import time

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.layers import LAYERS
from scviz.foundation.batching import longest_first, suitable_batch
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.enhancement import MODEL, Request, Result
from scviz.tasks.enhancement.check import BACK, DownSampled, down_sample, plain_methods
from scviz.tasks.enhancement.denoising import denoised, write_denoised
from scviz.tasks.enhancement.inputs import Inputs, gather
from scviz.tasks.enhancement.judging import judge
from scviz.tasks.price import Price


def run(request: Request, context: Context) -> Result:
    """Carry the request out; chunks that an earlier try has finished are not computed again."""
    inputs = gather(request, context)
    adata = inputs.adata
    sampled = down_sample(adata, inputs.model, n_cells=request.check_cells, seed=request.seed)
    context.report(Progress(stage="Plain methods on down-sampled cells"))
    methods = {MODEL: _denoise_sampled(inputs, sampled, context)}
    methods |= plain_methods(sampled, seed=request.seed)
    name = context.workspace.checkpoint(request.checkpoint).name
    judged = judge(methods, inputs, sampled, name=name, seed=request.seed)
    start = time.monotonic()
    parts = denoised(
        inputs.model.at_depth(request.read_depth),
        adata,
        inputs.places,
        state=context.state / "cells",
        report=context.report,
        stage="Denoising cells",
    )
    n_denoised = write_denoised(context.result / LAYERS, parts, known=inputs.known, n_cells=adata.n_obs)
    return Result(
        check_rows=sampled.rows,
        correlations=judged.correlations,
        scores=judged.scores,
        original_silhouette=judged.original_silhouette,
        silhouettes=judged.silhouettes,
        cell_silhouettes=judged.cell_silhouettes,
        gain=judged.gain,
        n_genes=len(inputs.places),
        n_unseen=adata.n_obs - n_denoised,
        seconds=time.monotonic() - start,
        notes=inputs.notes,
    )


def price(request: Request, context: Context) -> Price:
    """Time a batch of cells of usual length and say what all and those of the check will take."""
    inputs = gather(request, context)
    adata, model = inputs.adata, inputs.model.at_depth(request.read_depth)
    order = longest_first(model.n_tokens(adata))
    if not len(order):
        return Price(seconds=0, gigabytes=peak_gb(), how="the model sees no gene in any cell")
    batch = order[len(order) // 2 :][: suitable_batch(len(model.vocab))]
    n_cells = len(order) + min(request.check_cells, len(order))
    return Price(
        seconds=_seconds(model, adata[batch]) / len(batch) * n_cells + 5 + 0.002 * adata.n_obs,
        gigabytes=peak_gb() + 4 * (1024 + 6 * request.check_cells) * len(inputs.places) / 1e9,
        how=f"{counted(n_cells, 'cell')}, those of the check among them, timed on one batch",
    )


def _seconds(model: FoundationModel, adata: AnnData) -> float:
    """Time the second of two readings."""
    model.eval()
    tokens = model.tokenize(adata)
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        with torch.inference_mode():
            model.predicted_expression(tokens)
        seconds = time.perf_counter() - start
    return seconds


def _denoise_sampled(inputs: Inputs, sampled: DownSampled, context: Context) -> NDArray[np.float32]:
    """Denoise the chosen cells from a tenth of their reads, (M, K)."""
    cells = sampled.adata[sampled.rows].copy()
    answer = np.zeros(cells.shape, dtype=np.float32)
    for rows, values in denoised(
        inputs.model.at_depth(BACK),
        cells,
        inputs.places,
        state=context.state / "check",
        report=context.report,
        stage="Denoising down-sampled cells",
    ):
        answer[rows] = values
    return answer
