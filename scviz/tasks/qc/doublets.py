"""Doublets by scrublet, in each batch by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.labels import Labels, cell_labels
from scviz.errors import DataError
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import valley
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.qc import Request
from scviz.tasks.qc.scrublet import doublet_scores

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
        counts = csr_matrix(adata.X) if len(rows) == adata.n_obs else csr_matrix(adata.X)[rows]
        try:
            found = doublet_scores(
                counts, expected=request.expected_doublets, seed=request.seed, report=context.report
            )
        except DataError as error:
            notes.append(f"Doublets of {where} cannot be told: {error}.")
            continue
        scores[rows] = found.cells
        threshold = valley(found.simulated)
        if threshold is None:
            notes.append(
                f"Scrublet finds no threshold for the doublets of {where}: the scores of simulated doublets have no "
                "two peaks. Choose one by the picture."
            )
        else:
            thresholds[batch] = threshold
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
