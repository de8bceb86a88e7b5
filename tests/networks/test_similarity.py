"""Graphs of genes whose vectors are alike."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.networks import similarity
from scviz.networks.similarity import (
    GeneGraph,
    cosines,
    nearest_graph,
    published_graph,
    threshold_graph,
    unit_vectors,
)

CORNERS = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])


def pairs(graph: GeneGraph) -> set[tuple[int, int]]:
    return set(zip(graph.first.tolist(), graph.second.tolist(), strict=True))


def test_what_all_vectors_share_makes_them_alike_until_the_mean_is_subtracted() -> None:
    shared = CORNERS + 100.0
    assert cosines(shared, centered=False).min() > 0.999
    np.testing.assert_allclose(cosines(shared), cosines(CORNERS), atol=1e-9)
    assert cosines(shared)[0, 2] < -0.9


def test_a_vector_of_zeros_is_like_nothing() -> None:
    assert not unit_vectors(np.zeros((2, 3))).any()
    assert len(nearest_graph(np.zeros((4, 3))).weights) == 0


def test_pairs_at_or_above_the_threshold_are_linked_once() -> None:
    graph = threshold_graph(CORNERS, 0.9, centered=False)
    assert pairs(graph) == {(0, 1), (2, 3)}
    assert (graph.weights >= 0.9).all()
    exactly = np.array([[2.0, 0.0], [1.0, 0.0]])
    assert pairs(threshold_graph(exactly, 1.0, centered=False)) == {(0, 1)}


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6))
    whole = threshold_graph(vectors, 0.3), nearest_graph(vectors, 4)
    monkeypatch.setattr(similarity, "BLOCK", 7)
    for one, other in zip(whole, (threshold_graph(vectors, 0.3), nearest_graph(vectors, 4)), strict=True):
        assert pairs(one) == pairs(other)
        np.testing.assert_allclose(np.sort(one.weights), np.sort(other.weights), atol=1e-12)


def test_either_may_count_the_other_among_its_nearest() -> None:
    line = np.array([[1.0, 0.0], [0.95, 0.31], [0.8, 0.6]])
    assert pairs(nearest_graph(line, 1, centered=False)) == {(0, 1), (1, 2)}


def test_opposite_genes_are_never_linked() -> None:
    graph = nearest_graph(CORNERS, 3)
    assert pairs(graph) == {(0, 1), (2, 3)}
    assert (graph.weights > 0).all()


def test_links_are_named_the_strongest_first() -> None:
    graph = GeneGraph(
        n_genes=3, first=np.array([0, 1]), second=np.array([1, 2]), weights=np.array([0.2, 0.9])
    )
    edges = graph.edges(["A", "B", "C"])
    assert (edges.sources, edges.targets) == (("B", "A"), ("C", "B"))
    assert edges.weights.tolist() == [0.9, 0.2]
    assert not edges.directed


@pytest.mark.slow
def test_the_published_graph_joins_what_is_near_and_gives_it_weights_up_to_one() -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(0, 0.1, (20, 3)), rng.normal(5, 0.1, (20, 3))])
    graph = published_graph(vectors, 5)
    assert ((graph.first < 20) == (graph.second < 20)).all()
    assert 0 < graph.weights.min() <= graph.weights.max() <= 1
    assert (graph.first < graph.second).all()
