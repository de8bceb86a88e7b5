"""Rankings of links beside chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from scviz.metrics.networks import auprc_gain, link_scores, overlap, top_overlap


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
    found = overlap(2, 3, 2, 4)
    assert (found.p, found.expected) == (pytest.approx(0.5), 1.5)
    assert found.odds_ratio == pytest.approx(2.5 * 1.5 / (0.5 * 1.5))
    assert overlap(0, 3, 0, 4).p == 1.0


def test_an_overlap_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        overlap(3, 2, 5, 10)


def test_the_first_links_are_compared_with_known_ones() -> None:
    found = top_overlap(np.array([0.1, 3.0, np.nan, 2.0]), np.array([False, True, True, False]), 2)
    assert (found.hits, found.n_chosen, found.n_known, found.n_all) == (1, 2, 2, 4)


def test_a_gain_is_the_difference_of_areas_with_an_interval_over_targets() -> None:
    rng = np.random.default_rng(0)
    targets = np.repeat(np.arange(50), 10)
    known = rng.random(500) < 0.2
    good, poor = known + rng.normal(size=500), rng.normal(size=500)
    gain = auprc_gain(good, poor, known, targets, seed=0)
    assert gain.mean == pytest.approx(link_scores(good, known).auprc - link_scores(poor, known).auprc)
    assert 0 < gain.low < gain.mean < gain.high
    assert auprc_gain(poor, good, known, targets, seed=0).high < 0
