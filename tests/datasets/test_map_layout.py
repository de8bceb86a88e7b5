"""The neighbor graph and the walk along it: weights by hand, groups that stay together, a walk that can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.map_layout import curve, forces, layout, membership_graph
from scviz.datasets.neighbors import nearest
from scviz.progress import Progress


def graph_of(vectors: np.ndarray, k: int) -> np.ndarray:
    return membership_graph(*nearest(vectors.astype(np.float32), k, seed=0))


def test_weights_of_a_cell_add_up_to_the_logarithm_of_its_neighbors() -> None:
    distances = np.array([[0, 1, 2, 4], [0, 1, 1, 1], [0, 0, 3, 3], [0, 0, 0, 0]], dtype=np.float32)
    neighbors = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [2, 3, 0, 1], [3, 2, 0, 1]], dtype=np.int32)
    one_way = membership_graph(neighbors, distances)
    assert one_way.shape == (4, 4)
    assert (one_way != one_way.T).nnz == 0
    assert one_way.max() <= 1
    assert one_way[0, 1] == 1  # the nearest of cell 0, and as near as any of cell 1
    alone = membership_graph(neighbors[:1].repeat(4, axis=0), distances[:1].repeat(4, axis=0))
    assert np.isfinite(alone.data).all()


def test_the_curve_and_its_forces() -> None:
    a, b = curve(0.3)
    pull, push = forces(a, b)
    at = int(
        np.array([1.0], dtype=np.float32).view(np.int32)[0] >> 15
    )  # the place of a squared distance of 1
    assert pull[at] == pytest.approx(-2 * a * b / (1 + a), rel=0.01)
    assert push[at] == pytest.approx(2 * b / (1.001 * (1 + a)), rel=0.01)
    assert np.isfinite(pull).all()
    assert np.isfinite(push).all()


def test_groups_lie_apart_and_the_same_seed_gives_the_same_map() -> None:
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(4), 40)
    vectors = (6 * rng.normal(size=(4, 10)))[kinds] + rng.normal(size=(160, 10))
    graph = graph_of(vectors, 11)
    one, other = (layout(graph, vectors, min_dist=0.3, seed=3) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.dtype == np.float32
    distance = np.linalg.norm(one[:, None] - one[None], axis=2)
    near = np.argsort(distance, axis=1)[:, 1:6]
    assert (kinds[near] == kinds[:, None]).all()
    spread = np.linalg.norm(one - np.array([one[kinds == kind].mean(axis=0) for kind in kinds]), axis=1)
    assert 0.3 < spread.mean() < 8  # neither on one point nor blown apart


def test_a_walk_ends_when_it_is_told() -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 4))

    def report(progress: Progress) -> None:
        if progress.done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        layout(graph_of(vectors, 6), vectors, min_dist=0.3, seed=0, report=report)
