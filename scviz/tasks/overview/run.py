"""Variable genes, principal components, one neighbor graph for both the clusters and the map."""

from __future__ import annotations

import time
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import principal_components
from scviz.datasets.map_layout import layout, membership_graph
from scviz.datasets.neighbors import nearest
from scviz.datasets.variable_expression import variable_expression
from scviz.errors import DataError
from scviz.progress import Progress
from scviz.tasks.cell_clusters import cell_clusters
from scviz.tasks.context import Context
from scviz.tasks.overview import NEEDS, Request, Result
from scviz.tasks.overview.verdict import notes, verdict

Kind = TypeVar("Kind", bound=np.generic)


def run(request: Request, context: Context) -> Result:
    """Carry the request out.

    Raises
    ------
    DataError
        If so few cells have counts, or so few genes vary, that there is nothing to draw.
    """
    begun, report = time.monotonic(), context.report
    dataset = context.workspace.dataset(request.dataset)
    folder, n_cells = context.workspace.dataset_folder(request.dataset), dataset.n_cells
    expression = variable_expression(folder, n_cells, n_genes=request.n_genes, report=report)
    rows = np.flatnonzero(np.diff(expression.indptr) > 0)
    _refuse_few(len(rows), n_cells)
    report(Progress(stage="Principal components"))
    pca = principal_components(expression, n_components=request.n_components, seed=request.seed)
    report(Progress(stage="Finding neighbors"))
    found, distances = nearest(pca[rows], min(request.n_neighbors, len(rows) - 1) + 1, seed=request.seed)
    report(Progress(stage="Finding clusters"))
    graph = membership_graph(found, distances)
    clusters = cell_clusters(graph, request.resolution, seed=request.seed)
    places = layout(graph, pca[rows], min_dist=request.min_dist, seed=request.seed, report=report)
    return Result(
        pca=pca,
        neighbors=_of_all(rows[found[:, 1:]].astype(np.int32), rows, n_cells, empty=-1),
        umap=_of_all(places, rows, n_cells, empty=np.nan),
        clusters=_of_all(clusters.of_cells, rows, n_cells, empty=-1),
        n_clusters=clusters.number,
        seconds=time.monotonic() - begun,
        notes=notes(n_cells, len(rows), expression.shape[1]),
        verdict=verdict(clusters, request),
    )


def _refuse_few(n_seen: int, n_cells: int) -> None:
    if n_seen < NEEDS.cells:
        raise DataError(
            f"{n_seen:,} of {n_cells:,} cells have counts of genes that vary; a map needs {NEEDS.cells} or more.",
            hint="Look on the Data page whether the right matrix was taken for counts.",
        )


def _of_all(values: NDArray[Kind], rows: NDArray[np.int64], n_cells: int, *, empty: float) -> NDArray[Kind]:
    """Put what is known of some cells, (n, ...), in its place among all, (N, ...)."""
    whole = np.full((n_cells, *values.shape[1:]), empty, dtype=values.dtype)
    whole[rows] = values
    return whole
