"""How far the cells lie from the reference: shared genes, distance by cluster, clusters without a counterpart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import principal_components
from scviz.datasets.map_layout import membership_graph
from scviz.datasets.neighbors import nearest
from scviz.datasets.variable_expression import variable_expression
from scviz.metrics.shares import share_interval
from scviz.progress import Progress
from scviz.tasks.cell_clusters import cell_clusters
from scviz.tasks.context import Context
from scviz.tasks.transfer import ClusterFit, Fit, Nearness

NEIGHBORS, RESOLUTION = 15, 1.0
FAR = 0.5
"""Share of the cells of a cluster beyond the reach of the reference from which it has no counterpart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genes:
    """How many genes both have."""

    n_shared: int
    n_reference: int
    n_query: int
    read: float
    """Share of the reference's molecules that lie on the shared genes."""
    taught: bool = False
    """Whether many of the cells taught the reference."""
    exact: bool = False
    """Whether methods were judged with exactly the shared genes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there before a shift common to all types was taken off."""

    distance: NDArray[np.float32]
    """(N,) distances."""
    shift: float
    """How large the shift is, 1 at the reach of the reference; a larger one than is usual is left in."""
    offset: float = 0.0
    """How far cells lie off their types on average, where a common shift cannot be told; else 0."""


NO_FIT = Fit(n_shared=0, n_reference=0, n_query=0, read=0.0, beyond_before=0.0, beyond=0.0, clusters=())
"""Before it is known."""


def clusters_of(dataset: str, context: Context, *, seed: int) -> NDArray[np.int32]:
    """Cluster the cells by their own variable genes, (N,), 0 the largest; -1 for cells without counts of these."""
    context.report(Progress(stage="Finding clusters"))
    n_cells = context.workspace.dataset(dataset).n_cells
    expression = variable_expression(context.workspace.dataset_folder(dataset), n_cells)
    rows = np.flatnonzero(np.diff(expression.indptr) > 0)
    clusters = np.full(n_cells, -1, dtype=np.int32)
    if len(rows) <= NEIGHBORS:
        clusters[rows] = 0
        return clusters
    pcs = principal_components(expression, seed=seed)[rows]
    found, distances = nearest(pcs, NEIGHBORS + 1, seed=seed)
    clusters[rows] = cell_clusters(membership_graph(found, distances), RESOLUTION, seed=seed).of_cells
    return clusters


def fit_of(
    genes: Genes,
    distance: NDArray[np.float32],
    clusters: NDArray[np.int32],
    *,
    names: NDArray[np.str_],
    before: Before,
) -> Fit:
    """Put together what is known of the fit.

    Parameters
    ----------
    distance
        (N,) to the nearest type, 1 at the reach of the reference; NaN where it is not known.
    clusters
        (N,) from 0; -1 for none.
    names
        (N,) that the cells are given; '' for none.
    """
    told = (names != "") & np.isfinite(distance)
    fit = Fit(
        n_shared=genes.n_shared,
        n_reference=genes.n_reference,
        n_query=genes.n_query,
        read=genes.read,
        beyond_before=float((before.distance[told] > 1).mean()) if told.any() else 0.0,
        beyond=float((distance[told] > 1).mean()) if told.any() else 0.0,
        clusters=tuple(
            _cluster(number, distance, clusters == number, names=names)
            for number in range(int(clusters.max(initial=-1)) + 1)
        ),
        shift=before.shift,
        offset=before.offset,
        taught=genes.taught,
        exact=genes.exact,
    )
    if not (fit.is_thin or fit.is_foreign or fit.taught):
        return fit
    untold = tuple(
        replace(one, nearness="cannot tell") if fit.taught or one.nearness == "near" else one
        for one in fit.clusters
    )
    return replace(fit, clusters=untold)


def _cluster(
    number: int, distance: NDArray[np.float32], own: NDArray[np.bool_], *, names: NDArray[np.str_]
) -> ClusterFit:
    """Say it of the cells, (N,), of one cluster: of those that have a name and a distance."""
    named = own & (names != "")
    share = share_interval(distance[named & np.isfinite(distance)] > 1)
    known, counts = np.unique(names[named], return_counts=True)
    return ClusterFit(
        number=number + 1,
        n_cells=int(own.sum()),
        beyond=share,
        name=str(known[counts.argmax()]) if len(known) else "",
        share=float(counts.max(initial=0) / own.sum()),
        nearness=_nearness(share.low, share.high),
    )


def _nearness(low: float, high: float) -> Nearness:
    if low > FAR:
        return "far"
    return "near" if high < FAR else "cannot tell"
