"""The published curve, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tests.goldens.published_roc import roc_curve

SCORED = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=30)


@given(SCORED)
def test_roc_curves_are_those_of_scikit_learn(scored: list[tuple[bool, int]]) -> None:
    truth, scores = (np.array(column) for column in zip(*scored, strict=True))
    truth = truth.astype(int)
    if len(set(truth)) < 2:
        return
    curve = roc_curve(truth, scores / 8)
    false_rate, true_rate, _ = metrics.roc_curve(truth, scores / 8)
    np.testing.assert_allclose(curve.false_rate, false_rate)
    np.testing.assert_allclose(curve.true_rate, true_rate)
    assert curve.area() == pytest.approx(metrics.roc_auc_score(truth, scores / 8))


def test_a_curve_on_a_grid_begins_at_nothing() -> None:
    grid = roc_curve(np.array([1, 0]), np.array([0.9, 0.1])).on_grid(5)
    assert grid.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0]
