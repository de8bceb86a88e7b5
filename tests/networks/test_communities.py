"""Cuts of graphs of genes into modules."""

from __future__ import annotations

import time

import numpy as np
import pytest

from scviz.networks.communities import (
    Communities,
    agreement,
    by_size,
    communities,
    large_enough,
    modularity,
    stability,
)
from scviz.networks.similarity import GeneGraph, nearest_graph

METHODS: tuple[Communities, ...] = ("louvain", "leiden")


def cliques(*sizes: int) -> GeneGraph:
    """Groups of genes in which all are linked, and one weak link from each group to the next."""
    links, start = [], 0
    for size in sizes:
        links += [(start + i, start + j, 1.0) for i in range(size) for j in range(i + 1, size)]
        if start:
            links.append((start - 1, start, 0.01))
        start += size
    first, second, weights = zip(*links, strict=True)
    return GeneGraph(
        n_genes=start, first=np.array(first), second=np.array(second), weights=np.array(weights, dtype=float)
    )


@pytest.mark.parametrize("method", METHODS)
def test_groups_of_linked_genes_are_found_the_largest_first(method: Communities) -> None:
    found = communities(cliques(4, 7, 5), method)
    assert found.tolist() == [2] * 4 + [0] * 7 + [1] * 5


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_resolution_makes_more_modules(method: Communities) -> None:
    vectors = np.random.default_rng(0).normal(size=(150, 8))
    graph = nearest_graph(vectors, 10)
    counts = [communities(graph, method, resolution).max() + 1 for resolution in (0.2, 1.0, 5.0)]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("method", METHODS)
def test_equal_seeds_give_equal_modules(method: Communities) -> None:
    graph = nearest_graph(np.random.default_rng(1).normal(size=(120, 8)), 6)
    first = communities(graph, method, seed=3)
    for between in range(20):  # whatever was cut before
        communities(graph, method, seed=between)
        assert (communities(graph, method, seed=3) == first).all()


def test_modules_are_numbered_by_size_and_small_ones_left_out() -> None:
    cut = by_size(np.array([5, 5, 2, 2, 2, 9]))
    assert cut.tolist() == [1, 1, 0, 0, 0, 2]
    assert large_enough(cut, 2).tolist() == [1, 1, 0, 0, 0, -1]
    assert large_enough(cut, 4).tolist() == [-1] * 6


def test_modularity_of_two_equal_cliques_is_near_a_half_and_of_one_group_zero() -> None:
    graph = cliques(5, 5)
    assert modularity(graph, np.repeat([0, 1], 5)) == pytest.approx(0.5, abs=0.01)
    assert modularity(graph, np.zeros(10, dtype=int)) == pytest.approx(0.0, abs=1e-9)


def test_names_of_modules_do_not_matter_for_agreement() -> None:
    assert agreement(np.array([0, 0, 1, 1]), np.array([7, 7, 3, 3])) == 1.0
    assert agreement(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) < 0


def test_clear_groups_are_firm_and_noise_is_not() -> None:
    clear = stability(cliques(8, 8, 8), "louvain", (0.5, 1.0, 2.0))
    assert clear.n_modules == (3, 3, 3)
    assert clear.between_seeds == (1.0, 1.0, 1.0)
    assert clear.to_next[:2] == (1.0, 1.0)
    assert np.isnan(clear.to_next[2])
    noise = stability(
        nearest_graph(np.random.default_rng(0).normal(size=(200, 40)), 5), "louvain", (1.0, 5.0)
    )
    assert max(noise.between_seeds) < 0.9


def test_modules_of_a_ladder_are_counted_from_their_least_size() -> None:
    ladder = stability(cliques(8, 3), "louvain", (1.0,), fewest_genes=5)
    assert ladder.n_modules == (1,)
    assert ladder.share == (8 / 11,)


def test_genes_without_links_are_modules_of_their_own() -> None:
    lonely = GeneGraph(n_genes=3, first=np.empty(0, int), second=np.empty(0, int), weights=np.empty(0))
    assert communities(lonely).tolist() == [0, 1, 2]
    assert np.isnan(modularity(lonely, np.arange(3)))


def test_modularity_is_that_of_newman_by_hand() -> None:
    graph = GeneGraph(
        n_genes=3, first=np.array([0, 1]), second=np.array([1, 2]), weights=np.array([3.0, 1.0])
    )  # ends: 3, 4, 1 of 8
    assert modularity(graph, np.array([0, 0, 1])) == pytest.approx(3 / 4 - (7 / 8) ** 2 - (1 / 8) ** 2)
    assert modularity(graph, np.array([0, 0, 1]), 2.0) == pytest.approx(3 / 4 - 2 * (50 / 64))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_five_thousand_genes_are_cut_within_seconds_into_what_was_planted(method: Communities) -> None:
    rng = np.random.default_rng(0)
    planted = rng.integers(0, 30, 5000)
    graph = nearest_graph(rng.normal(size=(5000, 20)) + 2 * rng.normal(size=(30, 20))[planted], 30)
    assert len(graph.first) > 100_000
    begun = time.perf_counter()
    found = communities(graph, method)
    assert time.perf_counter() - begun < 10  # under 1 s on a free core
    assert modularity(graph, found) > modularity(graph, planted) - 1e-6
    assert agreement(found, planted) > 0.99
