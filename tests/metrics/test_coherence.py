"""Modules against random genes, the truth, and types of cells."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.coherence import (
    beside_random,
    coherence,
    correlations,
    expression_groups,
    gain_of_genes,
    matched_genes,
    mean_interval,
    means_by_type,
    pair_score,
    separation,
)


@pytest.fixture
def values() -> np.ndarray:
    """200 cells x 60 genes; the first ten follow one hidden number."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 60))
    noise[:, :10] += 1.5 * rng.normal(size=(200, 1))
    return noise


def test_correlations_are_those_of_numpy_and_zero_for_genes_that_do_not_vary(values: np.ndarray) -> None:
    values[:, 59] = 3.0
    found = correlations(values)
    np.testing.assert_allclose(found[:59, :59], np.corrcoef(values[:, :59].T), atol=1e-6)
    assert not found[59].any()


def test_random_genes_come_from_the_same_groups_of_expression() -> None:
    groups = expression_groups(np.arange(40.0), n_groups=4)
    assert np.bincount(groups).tolist() == [10] * 4
    genes = np.array([0, 1, 2, 39])
    drawn = matched_genes(groups, genes, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 4
    assert np.bincount(groups[drawn], minlength=4).tolist() == [3, 0, 0, 1]


def test_genes_that_go_together_stand_out_from_random_ones_and_others_do_not(values: np.ndarray) -> None:
    correlation, groups = correlations(values), expression_groups(values.mean(axis=0), n_groups=3)
    rng = np.random.default_rng(0)
    planted = beside_random(correlation, np.arange(10), groups, n_random=200, rng=rng)
    assert planted.mean > 0.5 > planted.random_high > planted.random
    assert planted.p == pytest.approx(1 / 201)
    assert planted.z > 5
    others = beside_random(correlation, np.arange(30, 40), groups, n_random=200, rng=rng)
    assert others.p > 0.05


def test_one_gene_has_no_coherence() -> None:
    assert np.isnan(coherence(np.eye(3), np.array([1])))


def test_a_gene_gains_by_its_fellows_and_nothing_without_any(values: np.ndarray) -> None:
    correlation, groups = correlations(values), np.zeros(60, dtype=int)
    cut = np.where(np.arange(60) < 10, 0, -1)
    gain = gain_of_genes(correlation, cut, groups)
    assert gain[:10].min() > 0.3
    assert not gain[10:].any()
    shuffled = np.random.default_rng(0).permutation(cut)
    assert gain_of_genes(correlation, shuffled, groups).mean() < gain.mean() / 5


def test_an_interval_over_clusters_is_wider_than_over_genes() -> None:
    clusters = np.repeat(np.arange(5), 40)
    values = np.repeat([0.0, 0.0, 0.0, 0.0, 1.0], 40)
    low, high = mean_interval(values, clusters, rng=np.random.default_rng(0))
    narrow = mean_interval(values, np.arange(200), rng=np.random.default_rng(0))
    assert low == 0.0 < narrow[0]
    assert high > narrow[1]
    assert np.isnan(mean_interval(values, clusters % 2, rng=np.random.default_rng(0))).all()


def test_pairs_in_modules_are_held_against_pairs_that_belong_together() -> None:
    together = np.zeros((4, 4), dtype=bool)
    together[0, 1] = together[1, 0] = together[2, 3] = together[3, 2] = True
    right = pair_score(np.array([0, 0, 1, 1]), together)
    assert (right.precision, right.recall, right.chance) == (1.0, 1.0, 2 / 6)
    half = pair_score(np.array([0, 0, -1, -1]), together)
    assert (half.precision, half.recall) == (1.0, 0.5)
    assert np.isnan(pair_score(np.full(4, -1), together).precision)


def test_scores_tell_a_type_apart_as_the_area_under_the_curve_says() -> None:
    scores = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0], [9.0, 0.0]])
    types = np.array([0, 0, 1, 1, -1])
    assert separation(scores, types, 2).tolist() == [[0.0, 0.5], [1.0, 0.5]]
    assert np.isnan(separation(scores, types, 3)[2]).all()
    assert means_by_type(scores, types, 2).tolist() == [[1.5, 5.0], [3.5, 5.0]]
    assert np.isnan(means_by_type(scores, types, 3)[2]).all()
