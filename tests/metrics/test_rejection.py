"""Leaving doubtful cells unnamed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scviz.metrics.rejection import Rejection, certainty, leave_unnamed, unassigned

CONFIDENCE = np.array([0.95, 0.7, 0.6, 0.4, 0.3])
TRUTH = np.array([0, 1, 2, 0, 1])
MODEL = np.array([0, 1, 0, 1, 1])
BASELINE = np.array([0, 0, 0, 0, 1])


def doubt(threshold: float) -> Rejection:
    return leave_unnamed(CONFIDENCE, TRUTH, MODEL, baseline=BASELINE, threshold=threshold)


def test_without_a_threshold_every_cell_is_named() -> None:
    everything = doubt(0.0)
    assert everything.unnamed == 0
    assert everything.accuracy == everything.accuracy_of_all == pytest.approx(3 / 5)
    assert everything.baseline_accuracy == pytest.approx(3 / 5)


def test_model_and_baseline_are_scored_on_the_same_named_cells() -> None:
    some = doubt(0.7)
    assert some.unnamed == pytest.approx(3 / 5)
    assert some.accuracy == 1
    assert some.baseline_accuracy == pytest.approx(1 / 2)
    assert some.accuracy_of_all == pytest.approx(3 / 5)


def test_where_no_cell_is_named_nothing_can_be_right() -> None:
    none = doubt(1.0)
    assert none.unnamed == 1
    assert np.isnan(none.accuracy)
    assert np.isnan(none.baseline_accuracy)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_never_names_more_cells(one: float, other: float) -> None:
    assert doubt(min(one, other)).unnamed <= doubt(max(one, other)).unnamed


def test_cells_without_a_likely_type_stay_unnamed() -> None:
    probabilities = np.array([[0.4, 0.3, 0.3], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    assert unassigned(probabilities).tolist() == [True, False, False]
    assert not unassigned(probabilities, 0).any()


def test_cells_of_which_nothing_is_known_are_not_called_unassigned() -> None:
    assert unassigned(np.array([[np.nan, np.nan], [0.3, 0.3]])).tolist() == [False, True]


def test_certainty_is_one_less_the_entropy_in_parts_of_the_largest() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0], [np.nan] * 3])
    entropy = stats.entropy(probabilities[:3], axis=1) / np.log(3)
    found = certainty(probabilities)
    np.testing.assert_allclose(found[:3], 1 - entropy, atol=1e-6)
    assert np.isnan(found[3])
    assert certainty(np.ones((2, 1))).tolist() == [1, 1]
