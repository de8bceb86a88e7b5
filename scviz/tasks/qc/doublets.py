"""Doublets by scanpy's scrublet, in each batch by itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.labels import Labels, cell_labels
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import valley
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.qc import Request

FEWEST_CELLS = 100
"""In fewer cells scrublet has too few neighbors among its simulated doublets to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doublets:
    """What scrublet says of N cells."""

    scores: NDArray[np.float64] | None
    """(N,) from 0 to 1; NaN where it cannot tell; None where it can tell of no cell."""
    thresholds: dict[str, float]
    """By batch."""
    notes: tuple[str, ...]


def find_doublets(request: Request, context: Context) -> Doublets:
    """Score every cell by how many simulated doublets are among its neighbors.

    Raises
    ------
    MissingColumnError
        If the dataset has no such column of batches.
    """
    info = context.workspace.dataset(request.dataset)
    if info.counts.how == "relative expression":
        return _none(
            "Doublets cannot be told: scrublet adds up the counts of two cells, and these data hold relative "
            "expression without counts behind it. Open a file with raw counts."
        )
    adata = context.counts(request.dataset)
    scores = np.full(adata.n_obs, np.nan)
    thresholds: dict[str, float] = {}
    notes: list[str] = []
    parts = list(_batches(request, context, adata.n_obs))
    for number, (batch, rows) in enumerate(parts):
        context.report(Progress(stage="Finding doublets", done=number, total=len(parts)))
        where = f"batch {batch}" if batch else "this dataset"
        if len(rows) < FEWEST_CELLS:
            notes.append(
                f"Doublets of {where} cannot be told: it has {counted(len(rows), 'cell')}, and scrublet needs "
                f"{FEWEST_CELLS} at least."
            )
            continue
        found = _scrublet(adata[rows], request)
        if isinstance(found, str):
            notes.append(f"Doublets of {where} cannot be told: scrublet says {found!r}.")
            continue
        scores[rows] = found.scores
        if found.threshold is None:
            notes.append(
                f"Scrublet finds no threshold for the doublets of {where}: the scores of simulated doublets have no "
                "two peaks. Choose one by the picture."
            )
        else:
            thresholds[batch] = found.threshold
    known = scores if np.isfinite(scores).any() else None
    return Doublets(scores=known, thresholds=thresholds, notes=tuple(notes))


def _none(note: str) -> Doublets:
    return Doublets(scores=None, thresholds={}, notes=(note,))


def _batches(request: Request, context: Context, n_cells: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Name the cells of each batch, (n,) rows; those without a batch are one more."""
    if not request.batch_key:
        yield "", np.arange(n_cells)
        return
    labels: Labels = cell_labels(context.workspace.dataset_folder(request.dataset), request.batch_key)
    for code, name in enumerate(labels.names):
        yield name, np.flatnonzero(labels.codes == code)
    if (labels.codes < 0).any():
        yield "no label", np.flatnonzero(labels.codes < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    scores: NDArray[np.float64]
    threshold: float | None


def _scrublet(cells: AnnData, request: Request) -> _Found | str:
    """Run scrublet on the counts of (n, G) cells; a text says why it cannot."""
    import scanpy  # seconds, which counting alone does without

    alone = AnnData(X=csr_matrix(cells.X, dtype=np.float32))
    alone.obs_names = [str(number) for number in range(alone.n_obs)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cells without counts, whose scores stay NaN
            scanpy.pp.scrublet(
                alone,
                expected_doublet_rate=request.expected_doublets,
                threshold=1.0,  # the valley is found below; scanpy would need one more package for it
                random_state=request.seed,
                verbose=False,
            )
    except ValueError as error:
        return str(error)
    scores = alone.obs["doublet_score"].to_numpy(dtype=np.float64)
    return _Found(scores=scores, threshold=valley(alone.uns["scrublet"]["doublet_scores_sim"]))
