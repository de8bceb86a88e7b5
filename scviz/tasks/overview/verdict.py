"""What the clusters say, and how sure they are."""

from __future__ import annotations

from scviz.metrics.evidence import counted
from scviz.tasks.cell_clusters import Clusters
from scviz.tasks.overview import Request


def verdict(clusters: Clusters, request: Request) -> str:
    """Say how many clusters there are, how large, and how much of them is found again."""
    sizes = clusters.sizes
    n_cells, at = counted(int(sizes.sum()), "cell"), f"at resolution {request.resolution:g}"
    if clusters.number == 1:
        return f"No clusters could be told apart among {n_cells} {at}; a higher resolution cuts finer."
    return (
        f"{clusters.number:,} clusters among {n_cells} {at}, of {int(sizes[0]):,} to "
        f"{counted(int(sizes[-1]), 'cell')}. {clusters.again:.0%} of the pairs of cells that share a cluster share one "
        "again when the search begins elsewhere. Clusters are cells of similar expression, not yet cell types."
    )


def notes(n_cells: int, n_seen: int, n_genes: int) -> tuple[str, ...]:
    """Say what the map was made from, a sentence each."""
    made = (
        f"Log expression of {counted(n_genes, 'variable gene')}, principal components, Leiden clusters and UMAP of one "
        "neighbor graph.",
    )
    lost = n_cells - n_seen
    if not lost:
        return made
    return (
        *made,
        f"{counted(lost, 'cell')} of {n_cells:,} without counts of these genes have no place and no cluster.",
    )
