"""Rankings of links beside chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import average_precision_score, roc_auc_score

from scviz.metrics.evidence import LEVEL, fdr
from scviz.metrics.networks import _Ranking, auprc_difference, auprc_place, link_scores, overlap, top_overlap


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.5]), st.booleans()), min_size=2, max_size=40))
def test_areas_are_those_of_scikit_learn_with_equal_strengths_too(links: list[tuple[float, bool]]) -> None:
    strength, known = (np.array(column) for column in zip(*links, strict=True))
    scores = link_scores(strength, known.astype(bool))
    if 0 < known.sum() < len(known):
        assert scores.auprc == pytest.approx(average_precision_score(known, strength))
        assert scores.auroc == pytest.approx(roc_auc_score(known, strength))
        assert scores.auprc_ratio == pytest.approx(scores.auprc / known.mean())
    else:
        assert np.isnan([scores.auprc, scores.auroc, scores.early_precision]).all()


def test_a_perfect_ranking_has_1_and_equal_strengths_what_chance_has() -> None:
    known = np.array([True, False, False, True])
    perfect = link_scores(known.astype(float), known)
    assert (perfect.auprc, perfect.auroc, perfect.early_precision) == (1.0, 1.0, 1.0)
    equal = link_scores(np.ones(4), known)
    assert (equal.auprc, equal.auroc, equal.early_precision) == (0.5, 0.5, 0.5)


def test_links_without_strength_come_last() -> None:
    scores = link_scores(np.array([np.nan, -1.0, 0.5]), np.array([True, False, False]))
    assert scores.auroc == 0.0


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="do not match"):
        link_scores(np.ones(3), np.ones(2, dtype=bool))


def test_the_chance_of_an_overlap_is_counted_by_hand() -> None:
    # three of four cards drawn, two of them red: both red in 3 of 6 draws of the last card
    found = overlap(2, n_chosen=3, n_known=2, n_all=4)
    assert (found.p, found.expected) == (pytest.approx(0.5), 1.5)
    assert found.odds_ratio == pytest.approx(2.5 * 1.5 / (0.5 * 1.5))
    assert overlap(0, n_chosen=3, n_known=0, n_all=4).p == 1.0


def test_an_overlap_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        overlap(3, n_chosen=2, n_known=5, n_all=10)


def test_the_first_links_are_compared_with_known_ones() -> None:
    found = top_overlap(np.array([0.1, 3.0, np.nan, 2.0]), np.array([False, True, True, False]), 2)
    assert (found.hits, found.n_chosen, found.n_known, found.n_all) == (1, 2, 2, 4)


def test_a_gain_is_the_difference_of_areas_with_an_interval_over_targets() -> None:
    rng = np.random.default_rng(0)
    targets = np.repeat(np.arange(50), 10)
    known = rng.random(500) < 0.2
    good, poor = known + rng.normal(size=500), rng.normal(size=500)
    gain = auprc_difference(good, poor, known, targets=targets, seed=0)
    assert gain.mean == pytest.approx(link_scores(good, known).auprc - link_scores(poor, known).auprc)
    assert 0 < gain.low < gain.mean < gain.high
    assert auprc_difference(poor, good, known, targets=targets, seed=0).high < 0


def test_each_draw_of_targets_has_the_area_of_the_links_repeated_as_often() -> None:
    rng = np.random.default_rng(1)
    targets, known = np.tile(np.arange(12), 5), rng.random(60) < 0.3
    strength = rng.integers(8, size=60).astype(float)
    times = rng.multinomial(12, np.full(12, 1 / 12), size=20)
    found = _Ranking(strength, known, targets).areas(times)
    for draw, area in zip(times, found, strict=True):
        again = np.repeat(np.arange(60), draw[targets])
        assert area == pytest.approx(average_precision_score(known[again], strength[again]))


def _links(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Known links of 8 regulators, some with many targets, and two rankings that know no more than who has many."""
    many = rng.gamma(1.0, size=(8, 1))
    known = rng.random((8, 60)) < 0.15 * many
    return known, many + rng.normal(size=known.shape), many + rng.normal(size=known.shape)


def test_a_ranking_that_finds_nothing_is_seldom_called_better_than_exchanged_targets() -> None:
    passed = 0
    for seed in range(200):
        known, strength, _ = _links(np.random.default_rng(seed))
        judged = np.ones(known.shape, dtype=bool)
        passed += auprc_place(strength, known, judged=judged, seed=seed, n_times=99).p <= LEVEL
    assert passed <= binom.ppf(0.999, 200, LEVEL)


def test_a_ranking_that_finds_links_stands_before_exchanged_targets() -> None:
    passed = 0
    for seed in range(40):
        known, strength, _ = _links(np.random.default_rng(seed))
        judged = np.ones(known.shape, dtype=bool)
        passed += auprc_place(strength + 1.5 * known, known, judged=judged, seed=seed, n_times=99).p <= LEVEL
    assert passed >= 36  # power above 90 %


def test_two_rankings_that_find_as_much_seldom_differ_and_a_better_one_is_seen() -> None:
    better, seen = 0, 0
    for seed in range(200):
        known, one, other = (values.ravel() for values in _links(np.random.default_rng(seed)))
        targets = np.tile(np.arange(60), 8)
        better += auprc_difference(one, other, known, targets=targets, seed=seed).low > 0
        if seed < 20:
            seen += auprc_difference(one + 2.0 * known, other, known, targets=targets, seed=seed).low > 0
    assert better <= binom.ppf(0.999, 200, LEVEL / 2)
    assert seen >= 18  # power above 90 %


def test_few_targets_with_known_links_give_no_interval() -> None:
    known = np.zeros(100, dtype=bool)
    known[:5] = True
    strength = np.random.default_rng(0).random(100)
    found = auprc_difference(strength, 1 - strength, known, targets=np.arange(100), seed=0)
    assert not found.known


def test_a_set_of_genes_that_has_nothing_to_do_with_the_known_ones_seldom_passes() -> None:
    passed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        known, p = rng.random(300) < 0.1, []
        for _ in range(10):
            genes = rng.permutation(300)[:40]
            p.append(overlap(int(known[genes].sum()), n_chosen=40, n_known=int(known.sum()), n_all=300).p)
        passed += bool((fdr(p) <= LEVEL).any())
    assert passed <= binom.ppf(0.999, 200, LEVEL)
