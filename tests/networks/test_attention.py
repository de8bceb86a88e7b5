"""Ranks of attention, their means, the influence of a regulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from scviz.networks.attention import AttentionSum, influence, ranked_attention, top_targets

SCORES = arrays(np.float32, (2, 7, 7), elements=st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0, 4.0]))


def plainly_ranked(scores: np.ndarray) -> np.ndarray:
    size = scores.shape[1]
    rows = (rankdata(scores, axis=2) - 1) / size
    return ((rankdata(rows, axis=1) - 1) / size).mean(axis=0)


@given(SCORES)
def test_ties_share_their_mean_rank(scores: np.ndarray) -> None:
    np.testing.assert_allclose(ranked_attention(scores), plainly_ranked(scores), atol=1e-6)


@given(SCORES, st.permutations(range(7)))
def test_the_order_of_genes_does_not_matter(scores: np.ndarray, order: list[int]) -> None:
    moved = ranked_attention(scores[:, order][:, :, order])
    np.testing.assert_allclose(moved, ranked_attention(scores)[np.ix_(order, order)], atol=1e-6)


def test_as_published_equal_ranks_fall_in_the_order_of_genes() -> None:
    equal = np.zeros((1, 3, 3))
    assert (ranked_attention(equal, published=True) * 3).round().tolist() == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    assert np.ptp(ranked_attention(equal)) == 0


@given(SCORES)
def test_scale_and_softmax_change_nothing(scores: np.ndarray) -> None:
    soft = np.exp(scores.astype(np.float64) / 8)
    soft /= soft.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(ranked_attention(soft), ranked_attention(scores), atol=1e-6)


def test_a_large_cell_is_ranked_like_a_small_one() -> None:
    scores = np.random.default_rng(0).normal(size=(2, 300, 300)).astype(np.float32)
    np.testing.assert_allclose(ranked_attention(scores), plainly_ranked(scores), atol=1e-6)


def test_every_cell_counts_and_as_published_the_first_does_not() -> None:
    cells = [np.full((2, 2), value, dtype=np.float32) for value in (0.9, 0.3, 0.6)]
    every, published = AttentionSum(2), AttentionSum(2, published=True)
    for cell in cells:
        every.add(cell)
        published.add(cell)
    np.testing.assert_allclose(every.mean(), 0.6)
    np.testing.assert_allclose(published.mean(), 0.3)


def test_a_gene_is_averaged_over_the_cells_that_hold_it() -> None:
    added = AttentionSum(3)
    added.add(np.array([[0.2, 0.4], [0.6, 0.8]]), np.array([2, 0]))
    added.add(np.array([[0.5, 0.0, 0.1], [0.0, 0.0, 0.0], [0.3, 0.0, 0.4]]), np.array([0, -1, 2]))
    mean = added.mean()
    assert mean[0, 0] == pytest.approx((0.8 + 0.5) / 2)
    assert mean[0, 2] == pytest.approx((0.6 + 0.1) / 2)
    assert np.isnan(mean[1]).all()


def test_influence_is_the_column_of_the_regulator() -> None:
    control, perturbed = np.arange(9.0).reshape(3, 3), np.full((3, 3), 10.0)
    assert influence(control, perturbed, 1, setting="control").tolist() == [1, 4, 7]
    assert influence(control, perturbed, 1, setting="perturbed").tolist() == [10, 10, 10]
    assert influence(control, perturbed, 1, setting="difference").tolist() == [9, 6, 3]


def test_top_targets_come_in_order_and_leave_out_what_must_not_be_chosen() -> None:
    values = np.array([5.0, 7.0, np.nan, 5.0, 1.0])
    assert top_targets(values, 3).tolist() == [1, 0, 3]
    assert top_targets(values, 9, without=(1,)).tolist() == [0, 3, 4]
