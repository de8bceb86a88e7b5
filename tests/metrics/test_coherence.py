"""Modules against random genes, the truth, and types of cells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from scviz.metrics.coherence import (
    RandomSets,
    beside_random,
    by_cell,
    coherence,
    correlations,
    gain_difference,
    gain_weights,
    means_by_type,
    pair_score,
    random_sets,
    separation,
)
from scviz.metrics.evidence import fdr
from scviz.metrics.matched_null import MatchedNull


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


def beside(values: np.ndarray, *modules: np.ndarray, seed: int = 0, n_random: int = 199) -> list[RandomSets]:
    null, rng = MatchedNull(values.mean(axis=0)), np.random.default_rng(seed)
    n_genes = values.shape[1]
    return [
        random_sets(null, genes, n_others=n_genes - len(genes), n_random=n_random, rng=rng)
        for genes in modules
    ]


def test_genes_that_go_together_stand_out_from_random_ones_and_others_do_not(values: np.ndarray) -> None:
    correlation = correlations(values)
    planted, others = (
        beside_random(correlation, one) for one in beside(values, np.arange(10), np.arange(30, 40))
    )
    assert planted.mean > 0.5 > planted.place.high > planted.random
    assert planted.place.words == "1st of 200"
    assert others.place.p > 0.05


def test_of_a_large_module_a_part_is_judged_so_that_random_sets_differ(values: np.ndarray) -> None:
    (one,) = beside(values, np.arange(40))
    assert (len(one.genes), len(one.judged), one.sets.shape) == (40, 2, (199, 2))
    assert not np.isin(one.sets, one.genes).any()


def test_one_gene_has_no_coherence() -> None:
    assert np.isnan(coherence(np.eye(3), np.array([[1]]))).all()


def test_what_cells_say_of_a_gain_averages_to_the_gain(values: np.ndarray) -> None:
    modules = beside(values, np.arange(10), np.arange(10, 20))
    held = [beside_random(correlations(values), one) for one in modules]
    gain = sum(10 / 60 * (one.mean - one.random) for one in held)
    assert by_cell(values, gain_weights(modules, 60)).mean() == pytest.approx(gain, abs=1e-5)
    others = beside(values, np.arange(20, 30), np.arange(30, 40))
    other_held = [beside_random(correlations(values), one) for one in others]
    cells, interval = gain_difference(values, (modules, held), (others, other_held))
    assert cells.shape == (200,)
    assert interval.low > 0


N_SEEDS = 200


def noise(seed: int) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """100 cells x 200 genes with nothing to find, and two cuts of them that were made elsewhere."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(200) for _ in range(2)]
    ends = np.cumsum([0, 30, 20, 10, 10])
    cuts = [[order[a:b] for a, b in pairwise(ends)] for order in orders]
    return rng.normal(size=(100, 200)), cuts


def test_with_nothing_to_find_modules_and_gains_are_found_no_more_often_than_is_said() -> None:
    most = binom.ppf(0.999, N_SEEDS, 0.05)
    together = better = 0
    for seed in range(N_SEEDS):
        values, cuts = noise(seed)
        correlation = correlations(values)
        sides = []
        for cut in cuts:
            modules = beside(values, *cut, seed=seed, n_random=99)
            sides.append((modules, [beside_random(correlation, one) for one in modules]))
        together += (fdr([one.place.p for one in sides[0][1]]) <= 0.05).any()
        interval = gain_difference(values, *sides)[1]
        better += not interval.low <= 0 <= interval.high
    assert together <= most
    assert better <= most


def test_a_module_of_weak_correlation_is_found_with_power() -> None:
    found = 0
    for seed in range(50):
        values, (cut, _) = noise(seed)
        values[:, cut[1]] += 0.4 * np.random.default_rng(seed).normal(size=(100, 1))  # correlation 0.14
        held = [beside_random(correlations(values), one) for one in beside(values, *cut, seed=seed)]
        found += fdr([one.place.p for one in held])[1] <= 0.05
    assert found >= 45


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
