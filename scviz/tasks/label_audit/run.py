"""Labels, neighbors among principal components, markers of halves, permutations, and labels changed as a test."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.enough_cells import large_labels
from scviz.datasets.expression import principal_components
from scviz.datasets.labels import Labels, cell_labels
from scviz.datasets.neighbors import nearest
from scviz.datasets.variable_expression import variable_expression
from scviz.metrics.label_audit import Evidence, evidence, expected_by_chance, planted
from scviz.metrics.neighbors import without_rare
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.label_audit import FEWEST_CELLS, Request, Result
from scviz.tasks.label_audit.verdict import notes, verdict


def run(request: Request, context: Context) -> Result:
    """Carry the request out.

    Raises
    ------
    RequestError
        If fewer than two labels have cells enough.
    """
    begun, report = time.monotonic(), context.report
    folder = context.workspace.dataset_folder(request.dataset)
    n_cells = context.workspace.dataset(request.dataset).n_cells
    labels = cell_labels(folder, request.label_key)
    names, codes = _judged(labels)
    expression = variable_expression(folder, n_cells, report=report)
    report(Progress(stage="Finding neighbors"))
    neighbors = _neighbors(
        principal_components(expression, seed=request.seed), expression.getnnz(axis=1) > 0, request
    )
    report(Progress(stage="Asking neighbors and markers"))
    found = evidence(expression, neighbors, codes, n_markers=request.n_markers, seed=request.seed)
    report(Progress(stage="Permutations"))
    chance = expected_by_chance(found, codes, seed=request.seed)
    report(Progress(stage="Changing labels as a test"))
    test = planted(expression, neighbors, codes, n_markers=request.n_markers, seed=request.seed)
    own_share = _own_share(neighbors, codes)
    bare = Result(
        names=names,
        codes=codes,
        by_neighbors=found.by_neighbors,
        by_markers=found.by_markers,
        own_share=own_share,
        margin=found.margin,
        rows=_clearest_first(found, codes, own_share),
        expected=chance.mean,
        expected_low=chance.low,
        expected_high=chance.high,
        p=chance.p,
        n_planted=test.found.n,
        found=test.found.mean,
        found_low=test.found.low,
        found_high=test.found.high,
        restored=test.restored,
        found_of_type=test.of_type,
        verdict="",
        notes=notes(labels, names, request),
        seconds=time.monotonic() - begun,
        any_label=chance.any_label,
    )
    return replace(bare, verdict=verdict(bare, request))


def _judged(labels: Labels) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Leave out labels of few cells, and number the others."""
    kept = without_rare(labels.codes, FEWEST_CELLS)
    present = np.unique(kept[kept >= 0])
    large_labels(labels.texts, column=f"The column {labels.column!r}", fewest=FEWEST_CELLS, noun="label")
    codes = np.where(kept >= 0, np.searchsorted(present, kept), -1)
    return tuple(labels.names[code] for code in present), codes.astype(np.int64)


def _neighbors(pca: NDArray[np.float32], seen: NDArray[np.bool_], request: Request) -> NDArray[np.int32]:
    """Find the nearest other cells of the cells that have counts, (N, k); -1 for the others."""
    rows = np.flatnonzero(seen)
    k = min(request.n_neighbors, len(rows) - 1)
    found = np.full((len(pca), k), -1, dtype=np.int32)
    found[rows] = rows[nearest(pca[rows], k + 1, seed=request.seed)[0][:, 1:]]
    return found


def _own_share(neighbors: NDArray[np.int32], codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give the share of the labeled neighbors that have the label of the cell itself, (N,)."""
    voted = (neighbors >= 0) & (codes[neighbors] >= 0)
    same = voted & (codes[neighbors] == codes[:, None])
    total = voted.sum(axis=1)
    share = np.divide(same.sum(axis=1), total, out=np.full(len(codes), np.nan), where=total > 0)
    return np.where(codes >= 0, share, np.nan).astype(np.float32)


def _clearest_first(
    found: Evidence, codes: NDArray[np.int64], own_share: NDArray[np.float32]
) -> NDArray[np.int64]:
    """List the cells that both speak against, (M,): those with the fewest neighbors of their label first."""
    rows = np.flatnonzero(found.against(codes))
    return rows[np.lexsort((-found.margin[rows], own_share[rows]))]
