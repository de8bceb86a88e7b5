"""From vectors of genes to modules: a graph by each method, cut in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.networks.communities import communities, large_enough, modularity
from scviz.networks.contract import Edges, GeneSet
from scviz.networks.drawing import Drawing, draw
from scviz.networks.similarity import (
    GeneGraph,
    nearest_graph,
    published_graph,
    threshold_graph,
    unit_vectors,
)
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.modules import Request
from scviz.tasks.modules.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The modules that one method makes of the G genes."""

    vectors: Vectors
    graph: GeneGraph
    membership: NDArray[np.int64]
    """(G,) module of each gene, 0 is the largest; -1 for genes of none that is large enough."""
    modularity: float

    @property
    def members(self) -> list[NDArray[np.int64]]:
        """Genes of each module, (k,)."""
        return [np.flatnonzero(self.membership == i) for i in range(self.membership.max(initial=-1) + 1)]

    def gene_sets(self, genes: tuple[str, ...]) -> tuple[GeneSet, ...]:
        """Name modules, and order the genes of each by similarity to its mean vector."""
        unit = self.vectors.unit
        modules = []
        for number, members in enumerate(self.members, start=1):
            middle = unit_vectors(unit[members].mean(axis=0, keepdims=True), centered=False)[0]
            near = unit[members] @ middle
            order = np.argsort(-near, kind="stable")
            modules.append(
                GeneSet(
                    name=f"Module {number}",
                    genes=tuple(genes[i] for i in members[order]),
                    weights=tuple(near[order].round(6).tolist()),
                )
            )
        return tuple(modules)


def cut_genes(request: Request, vectors: Mapping[str, Vectors], context: Context) -> dict[str, Cut]:
    """Cut the genes by each method; with a threshold, each links as many pairs as the first."""
    cuts: dict[str, Cut] = {}
    for done, (method, one) in enumerate(vectors.items()):
        context.report(Progress(stage="Linking genes", done=done, total=len(vectors)))
        n_links = len(next(iter(cuts.values())).graph.weights) if cuts else None
        graph = graph_of(request, one, n_links=n_links)
        found = communities(graph, request.method, request.resolution, seed=request.seed)
        cuts[method] = Cut(
            vectors=one,
            graph=graph,
            membership=large_enough(found, request.fewest_genes),
            modularity=modularity(graph, found),
        )
    return cuts


def graph_of(request: Request, vectors: Vectors, *, n_links: int | None = None) -> GeneGraph:
    """Link genes whose vectors are alike.

    Parameters
    ----------
    n_links
        With a threshold: how many pairs to link instead, so that methods with other scales of cosines can be compared.
    """
    if request.graph == "nearest":
        return nearest_graph(vectors.values, request.n_neighbors, centered=vectors.centered)
    if request.graph == "published":
        return published_graph(vectors.values, request.n_neighbors, seed=request.seed)
    threshold = request.threshold if n_links is None else _threshold(vectors, n_links)
    return threshold_graph(vectors.values, threshold, centered=vectors.centered)


def _threshold(vectors: Vectors, n_links: int) -> float:
    """Find the cosine above which there are so many pairs; never 0 or below."""
    unit = vectors.unit
    above = (unit @ unit.T)[np.triu_indices(len(unit), k=1)]
    if not n_links:
        return 1.0
    kept = np.partition(above, len(above) - n_links)[len(above) - n_links]
    return max(float(kept), 1e-6)


def picture(edges: Edges, modules: tuple[GeneSet, ...], seed: int) -> Drawing:
    """Draw the links between genes of modules."""
    module_of = {gene: one.name for one in modules for gene in one.genes}
    pairs = zip(edges.sources, edges.targets, strict=True)
    rows = [i for i, pair in enumerate(pairs) if module_of.keys() >= set(pair)]
    kept = Edges(
        sources=tuple(edges.sources[i] for i in rows),
        targets=tuple(edges.targets[i] for i in rows),
        weights=edges.weights[rows],
        directed=False,
    )
    return draw(kept, module_of, seed=seed)
