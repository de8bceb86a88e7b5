"""Groups of cells in an embedding, and neighbors of two methods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scviz.metrics import clustering
from scviz.metrics.clustering import cell_silhouettes, cluster_scores, clusters_of, mean_of_known
from scviz.metrics.neighbors import batch_mixing, neighbor_overlap, random_overlap

TWO = np.array([[0.0, 0.0], [0.0, 1.0], [10.0, 0.0], [10.0, 1.0]], dtype=np.float32)
ROUND = np.array([[(i + j) % 8 for j in range(1, 4)] for i in range(8)], dtype=np.int32)


def silhouette(vectors: NDArray[np.float32], groups: NDArray[np.int64]) -> float:
    return mean_of_known(cell_silhouettes(vectors, groups))


def test_clusters_that_are_the_types_score_one_and_crossed_ones_do_not() -> None:
    along, across = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = clusters_of(TWO, 2)
    scores = cluster_scores(found, along)
    assert (scores.nmi, scores.ari) == (pytest.approx(1), 1)
    assert cluster_scores(found, across).nmi == pytest.approx(0, abs=1e-9)
    assert cluster_scores(found, across).ari == pytest.approx(-0.5)


def test_the_silhouette_of_two_pairs_is_what_a_hand_computes() -> None:
    within, between = 1.0, (10 + np.sqrt(101)) / 2
    assert silhouette(TWO, np.array([0, 0, 1, 1])) == pytest.approx(1 - within / between, abs=1e-5)


def test_one_group_alone_has_no_score() -> None:
    scores = cluster_scores(np.array([0, 1, 0, 1]), np.zeros(4, dtype=np.int64))
    assert np.isnan([scores.nmi, scores.ari, silhouette(TWO, np.zeros(4, dtype=np.int64))]).all()
    assert np.isnan(silhouette(TWO, np.arange(4)))
    assert np.isnan(batch_mixing(ROUND, np.zeros(8, dtype=np.int64)))


def test_many_cells_are_sampled_for_the_silhouette(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 600)
    vectors = (rng.normal(size=(600, 3)) + 3 * groups[:, None]).astype(np.float32)
    whole = silhouette(vectors, groups)
    monkeypatch.setattr(clustering, "MOST_CELLS", 200)
    assert silhouette(vectors, groups) != whole
    assert silhouette(vectors, groups) == pytest.approx(whole, abs=0.05)


def test_batches_that_lie_apart_mix_0_and_shuffled_ones_about_1() -> None:
    rng = np.random.default_rng(0)
    neighbors = np.array([rng.choice(np.delete(np.arange(400), i), 15, replace=False) for i in range(400)])
    assert batch_mixing(neighbors, rng.integers(0, 3, 400)) == pytest.approx(1, abs=0.05)
    assert batch_mixing(np.array([[1], [0], [3], [2]]), np.array([0, 0, 1, 1])) == 0


def test_mixing_beyond_chance_is_over_1_and_cells_without_batch_do_not_count() -> None:
    neighbors = np.array([[1, 4], [0, 4], [3, 4], [2, 4], [0, 1]])
    batches = np.array([0, 1, 0, 1, -1])
    assert batch_mixing(neighbors, batches) == pytest.approx(1 / (2 / 3))


@given(st.permutations(range(3)))
def test_the_order_of_neighbors_does_not_matter_and_equal_ones_overlap_wholly(order: list[int]) -> None:
    assert neighbor_overlap(ROUND, ROUND[:, order]).tolist() == [1.0] * 8


def test_overlap_counts_shared_of_all_named() -> None:
    other = ROUND.copy()
    other[:, 0] = (np.arange(8) + 5) % 8
    np.testing.assert_allclose(neighbor_overlap(ROUND, other), 2 / 4)
    np.testing.assert_allclose(neighbor_overlap(ROUND, ROUND[:, :2]), 2 / 3)


def test_a_cell_without_neighbors_has_no_overlap() -> None:
    other = ROUND.copy()
    other[3] = -1
    assert np.flatnonzero(np.isnan(neighbor_overlap(ROUND, other))).tolist() == [3]
    assert np.isnan(neighbor_overlap(ROUND, ROUND[:, :0])).all()


def test_random_neighbors_overlap_about_as_said() -> None:
    rng = np.random.default_rng(1)
    draw = [
        np.array([rng.choice(np.delete(np.arange(200), i), 15, replace=False) for i in range(200)])
        for _ in range(2)
    ]
    assert neighbor_overlap(*draw).mean() == pytest.approx(random_overlap(200, 15), abs=0.01)
