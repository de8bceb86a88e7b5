"""Scores of naming, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from scviz.metrics.classification import accuracy, confusion_matrix, f1_scores, macro_f1

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    assert macro_f1(truth, predicted, 4) == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert accuracy(truth, predicted) == pytest.approx(metrics.accuracy_score(truth, predicted))
    wanted = metrics.confusion_matrix(truth, predicted, labels=range(4))
    assert np.array_equal(confusion_matrix(truth, predicted, 4), wanted)


def test_a_type_that_is_nowhere_has_no_f1() -> None:
    scores = f1_scores(np.array([0, 1]), np.array([0, 0]), 3)
    assert scores[:2].tolist() == pytest.approx([2 / 3, 0.0])
    assert np.isnan(scores[2])


def test_without_cells_there_is_no_score() -> None:
    none = np.array([], dtype=int)
    assert np.isnan(macro_f1(none, none, 2))
    assert np.isnan(accuracy(none, none))
