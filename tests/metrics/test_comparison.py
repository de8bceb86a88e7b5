"""Comparing a model with its baseline."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score

from scviz.metrics.comparison import compare
from scviz.metrics.neighbors import neighbor_agreement
from scviz.metrics.scores import classification_scores

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 4, 300)


def noisy(share: float) -> np.ndarray:
    return np.where(RNG.random(300) < share, RNG.integers(0, 4, 300), TRUTH)


def test_a_clear_gain_is_called_better() -> None:
    found = compare(TRUTH, noisy(0.1), noisy(0.6), name="guess", n_types=4)
    assert found.low > 0
    assert found.verdict.startswith("Better than the baseline: macro-F1 0.9")


def test_a_clear_loss_is_called_worse() -> None:
    found = compare(TRUTH, noisy(0.6), noisy(0.1), name="guess", n_types=4)
    assert found.high < 0
    assert found.verdict.startswith("Worse than the baseline")


def test_equal_names_are_no_gain() -> None:
    named = noisy(0.3)
    found = compare(TRUTH, named, named, name="twin", n_types=4)
    assert (found.low, found.high) == (0, 0)
    assert "No gain on this dataset" in found.verdict
    assert "300 held-out cells" in found.verdict


def test_scores_are_those_of_scikit_learn() -> None:
    named = noisy(0.4)
    scores = classification_scores(TRUTH, named, list("abcd"))
    f1 = f1_score(TRUTH, named, average=None)
    assert scores.macro_f1 == pytest.approx(f1.mean())
    assert [s.f1 for s in scores.types] == pytest.approx(f1)
    assert scores.weighted_f1 == pytest.approx(f1_score(TRUTH, named, average="weighted"))
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(TRUTH, named))
    assert scores.macro_precision == pytest.approx(precision_score(TRUTH, named, average="macro"))
    assert scores.macro_recall == pytest.approx(recall_score(TRUTH, named, average="macro"))
    assert compare(TRUTH, named, named, name="", n_types=4).model_score == pytest.approx(f1.mean())


def test_a_type_without_cells_does_not_count() -> None:
    scores = classification_scores(np.array([0, 0, 1]), np.array([0, 0, 1]), ["B", "T", "none"])
    assert scores.macro_f1 == 1
    assert np.isnan(scores.types[2].f1)


def test_neighbors_vote_and_the_nearer_decide_ties() -> None:
    types = np.array([0, 0, 1, 1, -1])
    neighbors = np.array([[1, 2], [0, 3], [3, 0], [2, 1], [0, 1]])
    assert neighbor_agreement(neighbors, types) == 1
    assert neighbor_agreement(neighbors[:, ::-1], types) == 0


def test_cells_without_neighbors_are_left_out() -> None:
    neighbors = np.array([[1], [0], [-1]])
    assert neighbor_agreement(neighbors, np.array([0, 0, 1])) == 1
    assert np.isnan(neighbor_agreement(neighbors, np.array([-1, -1, -1])))
