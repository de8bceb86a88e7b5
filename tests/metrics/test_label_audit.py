"""Wrong labels are found, right ones are left alone, and chance is what permutations say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.metrics.label_audit import Evidence, evidence, expected_by_chance, planted


def cells(n_cells: int = 300, *, apart: float = 3.0, seed: int = 0) -> tuple[csr_matrix, NDArray[np.int64]]:
    """Cells of three types with ten markers each among 120 genes, and their types."""
    rng = np.random.default_rng(seed)
    types = np.arange(n_cells) % 3
    means = np.full((n_cells, 120), 0.4)
    for k in range(3):
        means[np.ix_(types == k, range(10 * k, 10 * k + 10))] += apart
    return csr_matrix(np.log1p(rng.poisson(means)).astype(np.float32)), types.astype(np.int64)


def nearest(expression: csr_matrix, k: int = 15) -> NDArray[np.int32]:
    dense = expression.toarray()
    far = ((dense[:, None] - dense[None]) ** 2).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    return np.argsort(far, axis=1)[:, :k].astype(np.int32)


def test_labels_that_were_swapped_are_found_and_no_others() -> None:
    expression, types = cells()
    wrong = np.array([0, 10, 47, 101])
    labels = types.copy()
    labels[wrong] = (types[wrong] + 1) % 3
    found = evidence(expression, nearest(expression), labels, n_markers=10)
    assert np.flatnonzero(found.against(labels)).tolist() == wrong.tolist()
    assert (found.by_markers[wrong] == types[wrong]).all()
    assert (found.margin[wrong] > 0.2).all()


def test_cells_without_a_label_are_not_judged() -> None:
    expression, types = cells()
    labels = np.where(np.arange(300) < 30, -1, types)
    found = evidence(expression, nearest(expression), labels, n_markers=10)
    assert (found.by_markers[:30] == -1).all()
    assert not found.against(labels)[:30].any()
    assert np.isnan(found.margin[:30]).all()


def test_chance_is_what_is_counted_by_hand() -> None:
    """Of four cells one has a neighbor vote and one marker word for type 1: they meet in a quarter of all deals."""
    codes = np.zeros(4, dtype=np.int64)
    said = Evidence(
        by_neighbors=np.array([1, 0, 0, 0]),
        by_markers=np.array([1, 0, 0, 0]),
        margin=np.zeros(4, dtype=np.float32),
    )
    chance = expected_by_chance(said, codes)
    assert chance.mean == pytest.approx(0.25, abs=0.06)
    assert chance.p == pytest.approx(0.25, abs=0.06)


def test_labels_dealt_at_random_are_spoken_against_by_what_other_labels_there_are() -> None:
    """Of four cells three are named alike by neighbors and markers: as A, A and B; A is the label of three in four."""
    said = Evidence(
        by_neighbors=np.array([0, 0, 1, 1]),
        by_markers=np.array([0, 0, 1, 0]),
        margin=np.zeros(4, dtype=np.float32),
    )
    chance = expected_by_chance(said, np.array([0, 0, 0, 1]))
    assert chance.any_label == pytest.approx((0.25 + 0.25 + 0.75) / 4)


def test_markers_say_nothing_where_no_type_has_any() -> None:
    expression, types = cells(apart=0.0)
    found = evidence(expression, nearest(expression), types, n_markers=10)
    assert (found.by_markers == -1).all()
    assert not found.against(types).any()


def test_p_is_seldom_small_where_neighbors_and_markers_are_independent() -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(3), 60)
    p = []
    for seed in range(60):
        said = [np.where(rng.random(180) < 0.2, rng.integers(0, 3, 180), codes) for _ in range(2)]
        found = Evidence(by_neighbors=said[0], by_markers=said[1], margin=np.zeros(180, dtype=np.float32))
        p.append(expected_by_chance(found, codes, seed=seed).p)
    assert np.mean(np.array(p) <= 0.05) <= 0.12


def test_labels_that_are_changed_as_a_test_are_found_where_types_stand_apart() -> None:
    expression, types = cells()
    test = planted(expression, nearest(expression), types, n_markers=10)
    assert test.found.mean > 0.9
    assert test.found.n == 15
    assert test.restored > 0.9


def test_nothing_is_found_where_labels_say_nothing() -> None:
    expression, types = cells(apart=0.0)
    test = planted(expression, nearest(expression), types, n_markers=10)
    assert test.found.mean < 0.6
    assert test.restored < 0.5
