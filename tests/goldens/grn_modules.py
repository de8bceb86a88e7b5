"""Cases of gene networks: modules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from scviz.networks.communities import Communities, agreement, communities, large_enough, modularity
from scviz.networks.module_scores import module_scores, zero_to_one
from scviz.networks.similarity import cosines, published_graph, threshold_graph
from tests.goldens.arrays import load

EXACT = 1e-6
SCORES = 1e-5
LIKE = 0.95
"""Agreement with a cut by another program whose draws differ; their modules at resolution 5 are firm as well."""
METHODS: tuple[Communities, ...] = ("louvain", "leiden")


def check_modules(folder: Path) -> None:
    """Similarities, both graphs, and every cut."""
    arrays, words = load(folder / "modules.npz"), json.loads((folder / "modules.json").read_text())
    vectors, names = arrays["embedding"], np.array(words["names"])
    np.testing.assert_allclose(cosines(vectors, centered=False), arrays["cosine"], atol=EXACT)
    graph = threshold_graph(vectors, words["cosine_threshold"], centered=False)
    np.testing.assert_array_equal(np.stack([graph.first, graph.second]), [arrays["edge_i"], arrays["edge_j"]])
    cuts = words["memberships"]
    theirs = [np.array(cut) for name, cut in cuts.items() if "cos" in name]
    assert len(theirs) == 4
    for method in METHODS:
        own = communities(graph, method)
        assert [agreement(own, cut) for cut in theirs] == [1.0] * 4, method
        wanted = [cuts[name] for name in cuts if name.endswith("modularity")]
        np.testing.assert_allclose([modularity(graph, own)] * len(wanted), wanted, atol=EXACT)
        kept = large_enough(own)
        ours = {frozenset(names[kept == number]) for number in range(kept.max() + 1)}
        assert ours == {frozenset(module) for module in words["modules_ge5_igraph_louvain"].values()}
    planted = arrays["planted"]
    assert agreement(communities(graph)[planted >= 0], planted[planted >= 0]) == 1.0
    _check_published(folder)


def _check_published(folder: Path) -> None:
    """The graph of scanpy, and cuts of it: as good as theirs and alike where theirs are firm."""
    arrays, words = load(folder / "modules.npz"), json.loads((folder / "modules.json").read_text())
    graph = published_graph(arrays["embedding"], words["n_neighbors"])
    shape = (graph.n_genes, graph.n_genes)
    ours = sp.csr_matrix((graph.weights, (graph.first, graph.second)), shape=shape)
    theirs = sp.csr_matrix((arrays["conn_val"], (arrays["conn_row"], arrays["conn_col"])), shape=shape)
    np.testing.assert_allclose((ours + ours.T).toarray(), theirs.toarray(), atol=SCORES)
    for name, cut in words["memberships"].items():
        if not name.startswith("scanpy_leiden"):
            continue
        other, resolution = np.array(cut), float(name.rpartition("res")[2])
        own = communities(graph, "leiden", resolution)
        assert modularity(graph, own, resolution) > modularity(graph, other, resolution) - 0.01, name
        if resolution <= 5:
            planted = arrays["planted"] >= 0
            assert agreement(own[planted], other[planted]) > LIKE, name


def check_scores(folder: Path) -> None:
    """Scores of modules in cells, and stretched from 0 to 1."""
    expression = sp.csr_matrix(load(folder / "module_scores.npz")["X"])
    words = json.loads((folder / "module_scores.json").read_text())
    names = json.loads((folder / "modules.json").read_text())["names"]
    modules = [np.array([names.index(gene) for gene in one["genes"]]) for one in words.values()]
    ours = module_scores(expression, modules)
    for name, scores in (("raw", ours), ("minmax", zero_to_one(ours))):
        theirs = np.array([one[name] for one in words.values()]).T
        np.testing.assert_allclose(scores, theirs, atol=SCORES)


CHECKS: dict[str, Callable[[Path], None]] = {"communities": check_modules, "module_scores": check_scores}
