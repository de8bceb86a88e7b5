"""Comparing a model with its baseline."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score

from scviz.metrics.comparison import Names, compare, judged_types
from scviz.metrics.evidence import Gain
from scviz.metrics.neighbors import neighbor_agreement
from scviz.metrics.scores import classification_scores

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 4, 300)


def noisy(share: float) -> np.ndarray:
    return np.where(RNG.random(300) < share, RNG.integers(0, 4, 300), TRUTH)


def gain(truth: np.ndarray, model: np.ndarray, *others: np.ndarray) -> Gain:
    baselines = [Names(method=f"guess {i}", types=named) for i, named in enumerate(others)]
    return compare(truth, Names(method="Small", types=model), baselines, n_types=int(truth.max()) + 1)


def test_a_clear_gain_is_called_better() -> None:
    found = gain(TRUTH, noisy(0.1), noisy(0.6))
    assert found.outcome == "better"
    assert found.sentence.startswith("Small is better than guess 0: naming score, averaged over types, 0.9")
    assert "300 held-out cells" in found.sentence


def test_a_clear_loss_is_called_worse_and_is_against_the_best_baseline() -> None:
    found = gain(TRUTH, noisy(0.6), noisy(0.9), noisy(0.1))
    assert found.outcome == "worse"
    assert found.baseline == "guess 1"


def test_equal_names_are_no_gain() -> None:
    named = noisy(0.3)
    found = gain(TRUTH, named, named)
    assert (found.difference.low, found.difference.high) == (0, 0)
    assert found.outcome == "none"


def test_an_interval_is_over_the_same_types_in_every_draw() -> None:
    """Three types of one cell each, which a draw of all cells holds or not: the average would be of other types."""
    truth = np.array([0] * 60 + [1] * 60 + [2, 3, 4])
    model = np.where(np.arange(123) % 10 < 3, 1 - truth, truth)
    model[truth > 1] = 0
    found = gain(truth, model, truth)
    assert found.score == pytest.approx(f1_score(truth, model, labels=[0, 1], average="macro"))
    assert judged_types(truth, 5).tolist() == [0, 1]
    rng, drawn = np.random.default_rng(1), []
    for _ in range(2000):  # cells of each type drawn anew, by hand
        rows = np.concatenate([rng.choice(np.flatnonzero(truth == k), (truth == k).sum()) for k in range(5)])
        drawn.append(mean_f1(truth[rows], model[rows]) - 1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.difference.low == pytest.approx(low, abs=0.01)
    assert found.difference.high == pytest.approx(high, abs=0.01)


def mean_f1(truth: np.ndarray, named: np.ndarray) -> float:
    """Average F1 of the types 0 and 1."""
    return float(
        np.mean(
            [
                2 * ((truth == k) & (named == k)).sum() / ((truth == k).sum() + (named == k).sum())
                for k in (0, 1)
            ]
        )
    )


def test_too_few_cells_of_every_type_but_one_cannot_tell() -> None:
    truth = np.array([0] * 20 + [1] * 4)
    assert gain(truth, truth, np.zeros(24, dtype=int)).outcome == "unknown"


SIZES = ([30] * 5, [2, 3, 3, 9, 14, 20, 20, 20, 25, 25], [1, 1, 1, 50, 50])


def outcomes(sizes: list[int], right: float, lead: float, n_times: int = 200) -> list[str]:
    """Judge a model that names `lead` more of the cells right than each of two equal baselines."""
    truth, found = np.repeat(np.arange(len(sizes)), sizes), []
    for seed in range(n_times):
        rng = np.random.default_rng(seed)
        guesses = rng.choice(truth, (3, len(truth)))
        shares = np.array([[right + lead], [right], [right]])
        named = np.where(rng.random((3, len(truth))) < shares, truth, guesses)
        found.append(gain(truth, *named).outcome)
    return found


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("right", [0.7, 0.95])
def test_equal_methods_are_told_apart_in_one_of_twenty_at_most(sizes: list[int], right: float) -> None:
    found = outcomes(sizes, right, 0.0)
    most = binom.ppf(0.99, 200, 0.05)
    assert found.count("better") <= most
    assert found.count("worse") <= most


def test_a_fifth_more_cells_named_right_is_found_nearly_always() -> None:
    assert outcomes(SIZES[0], 0.6, 0.2).count("better") >= 0.8 * 200


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
    assert gain(TRUTH, named, named).score == pytest.approx(f1.mean())


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
