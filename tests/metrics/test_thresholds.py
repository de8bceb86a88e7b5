"""Thresholds by median and MAD, what they cost each group, and the valley between two peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from scviz.metrics.thresholds import Bounds, Loss, losses, usual_bounds, valley, within


def test_bounds_are_three_mads_from_the_median() -> None:
    # median 5, distances 4 2 1 0 1 2 4: MAD 2
    assert usual_bounds(np.array([1.0, 3, 4, 5, 6, 7, 9])) == Bounds(low=None, high=11.0)
    assert usual_bounds(np.array([11.0, 13, 14, 15, 16, 17, 19])) == Bounds(low=9.0, high=21.0)


def test_more_mads_are_wider() -> None:
    assert usual_bounds(np.array([11.0, 13, 14, 15, 16, 17, 19]), n_mads=5) == Bounds(low=5.0, high=25.0)


def test_logarithmic_bounds_are_those_of_log1p() -> None:
    values = np.random.default_rng(0).lognormal(7, 0.5, 501)
    logs = np.log1p(values)
    reach = 3 * median_abs_deviation(logs)
    found = usual_bounds(values, logarithmic=True)
    assert found.low == pytest.approx(np.expm1(np.median(logs) - reach), rel=1e-12)
    assert found.high == pytest.approx(np.expm1(np.median(logs) + reach), rel=1e-12)


def test_equal_numbers_suggest_nothing() -> None:
    assert usual_bounds(np.array([2.0, 2, 2, 2, 9])).is_open
    assert usual_bounds(np.array([np.nan])).is_open


def test_numbers_that_are_not_known_are_left_out_and_pass() -> None:
    values = np.array([np.nan, 11, 13, 14, 15, 16, 17, 19])
    found = usual_bounds(values)
    assert found == Bounds(low=9.0, high=21.0)
    assert within(values, found).all()


def test_both_ends_are_allowed() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert within(values, Bounds(low=2.0, high=3.0)).tolist() == [False, True, True, False]
    assert within(values, Bounds()).all()


def test_losses_come_with_the_largest_share_first_and_cells_without_a_label() -> None:
    kept = np.array([True, False, False, True, True, False])
    codes = np.array([0, 0, 1, 2, 2, -1])
    assert losses(kept, codes, ("B", "NK", "T")) == (
        Loss(name="NK", n=1, lost=1),
        Loss(name="no label", n=1, lost=1),
        Loss(name="B", n=2, lost=1),
        Loss(name="T", n=2, lost=0),
    )


def test_half_of_a_group_is_not_grave_yet() -> None:
    assert not Loss(name="B", n=4, lost=2).is_grave
    assert Loss(name="B", n=4, lost=3).is_grave


@given(st.lists(st.tuples(st.booleans(), st.integers(-1, 2)), min_size=1, max_size=60))
def test_every_lost_cell_is_counted_once(cells: list[tuple[bool, int]]) -> None:
    kept, codes = (np.array(part) for part in zip(*cells, strict=True))
    found = losses(kept, codes, ("a", "b", "c"))
    assert sum(one.lost for one in found) == int((~kept).sum())
    assert sum(one.n for one in found) == len(cells)


def test_the_valley_lies_between_two_peaks() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.1, 0.03, 2000), rng.normal(0.6, 0.05, 500)])
    # what threshold_minimum of scikit-image 0.26, which scrublet calls doublets by, gives for these numbers
    assert valley(values) == pytest.approx(0.24811747156747777, abs=1e-12)


def test_one_peak_has_no_valley() -> None:
    assert valley(np.full(50, 0.3)) is None
