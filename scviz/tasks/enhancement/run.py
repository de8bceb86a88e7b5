"""Check on thinned cells, then restore all cells."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import log_expression
from scviz.datasets.genes import identifiers
from scviz.datasets.layers import LAYERS
from scviz.errors import GeneMatchError
from scviz.foundation.batching import longest_first, pick_device, suitable_batch
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.restoration import cell_correlations, gain_over, mean_score
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.enhancement import MODEL, Request, Result
from scviz.tasks.enhancement.check import (
    BACK,
    Thinned,
    plain_methods,
    thin_and_choose,
    type_silhouette,
)
from scviz.tasks.enhancement.restoring import restored, write_restored
from scviz.tasks.known_types import types_of
from scviz.tasks.price import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The cells and the model that restores them."""

    adata: AnnData
    """(N, K) raw counts of the genes that the model knows."""
    model: FoundationModel
    known: NDArray[np.bool_]
    """(G,) which genes of the dataset these are."""
    places: NDArray[np.int64]
    """(K,) where they stand in the vocabulary."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out; chunks that an earlier try has finished are not computed again."""
    subject = _subject(request, context)
    adata, model = subject.adata, subject.model
    types = types_of(context.workspace, request.dataset, request.label_key)
    thinned = thin_and_choose(adata, model, n_cells=request.check_cells, seed=request.seed)
    context.report(Progress(stage="Plain methods on thinned cells"))
    methods = {MODEL: _restore_thinned(subject, thinned, context)}
    methods |= plain_methods(thinned, seed=request.seed)
    whole = log_expression(adata.X[thinned.rows]).toarray()
    correlations = {name: cell_correlations(values, whole) for name, values in methods.items()}
    silhouettes: dict[str, float] = {}
    if request.label_key is not None:
        asked = types.codes[thinned.rows]
        silhouettes = {
            name: type_silhouette(values, asked, seed=request.seed)
            for name, values in {**methods, "": whole}.items()
        }
    start = time.monotonic()
    parts = restored(
        model.at_depth(request.read_depth),
        adata,
        subject.places,
        context.state / "cells",
        context.report,
        "Restoring cells",
    )
    n_restored = write_restored(context.result / LAYERS, parts, subject.known, adata.n_obs)
    baselines = {name: values for name, values in correlations.items() if name != MODEL}
    return Result(
        check_rows=thinned.rows,
        correlations=correlations,
        scores={name: mean_score(values, seed=request.seed) for name, values in correlations.items()},
        whole_silhouette=silhouettes.pop("", float("nan")),
        silhouettes=silhouettes,
        gain=gain_over(correlations[MODEL], baselines, seed=request.seed),
        n_genes=len(subject.places),
        n_unseen=adata.n_obs - n_restored,
        seconds=time.monotonic() - start,
        notes=types.notes,
    )


def price(request: Request, context: Context) -> Price:
    """Time a batch of cells of usual length and say what all and those of the check will take."""
    subject = _subject(request, context)
    adata, model = subject.adata, subject.model.at_depth(request.read_depth)
    order = longest_first(model.n_tokens(adata))
    if not len(order):
        return Price(seconds=0, gigabytes=peak_gb(), how="the model sees no gene in any cell")
    batch = order[len(order) // 2 :][: suitable_batch(len(model.vocab))]
    n_cells = len(order) + min(request.check_cells, len(order))
    return Price(
        seconds=_seconds(model, adata[batch]) / len(batch) * n_cells + 5 + 0.002 * adata.n_obs,
        gigabytes=peak_gb() + 4 * (1024 + 6 * request.check_cells) * len(subject.places) / 1e9,
        how=f"{n_cells:,} cells, those of the check among them, timed on one batch",
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


def _subject(request: Request, context: Context) -> _Subject:
    """Read cells and model, and keep the genes that both know.

    Raises
    ------
    GeneMatchError
        If there is none.
    UnsupportedTaskError
        If the model cannot restore expression.
    """
    adata, model = context.counts(request.dataset), context.model(request.checkpoint, "enhancement")
    model.at_depth(request.read_depth)  # refused here, before anything is computed
    model.to(pick_device(context.device))
    found = model.vocab.match(identifiers(adata.var))
    known = found >= 0
    if not known.any():
        raise GeneMatchError(
            f"The model knows none of the {adata.n_vars:,} genes of the dataset.",
            hint="Choose other weights, or look at the names of the genes on the Data page.",
        )
    return _Subject(adata=adata[:, known].copy(), model=model, known=known, places=found[known])


def _restore_thinned(subject: _Subject, thinned: Thinned, context: Context) -> NDArray[np.float32]:
    """Restore the chosen cells from a tenth of their reads, (M, K)."""
    cells = thinned.adata[thinned.rows].copy()
    answer = np.zeros(cells.shape, dtype=np.float32)
    for rows, values in restored(
        subject.model.at_depth(BACK),
        cells,
        subject.places,
        context.state / "check",
        context.report,
        "Restoring thinned cells",
    ):
        answer[rows] = values
    return answer
