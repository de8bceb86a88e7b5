"""Differences of scores: the same types and the same numbers as a verdict has, and arrows only where they differ."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from scviz.metrics.comparison import FEWEST_JUDGED, Names, compare
from scviz.metrics.score_gaps import SCORES, score_gaps
from scviz.metrics.scores import classification_scores

TYPES = ("B", "NK", "T", "rare")


def drawn(seed: int, *, wrong: float) -> tuple[np.ndarray, np.ndarray]:
    """300 cells of three types and 3 of a rare one, and names of which a share is drawn by lot."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.repeat([0, 1, 2], 100), np.repeat(3, 3)])
    return truth, np.where(rng.random(len(truth)) < wrong, rng.integers(0, 4, len(truth)), truth)


def test_one_number_stands_in_the_verdict_and_in_the_scores() -> None:
    truth, model = drawn(0, wrong=0.2)
    _, baseline = drawn(1, wrong=0.5)
    gain = compare(truth, Names(method="a", types=model), [Names(method="b", types=baseline)], n_types=4)
    own, other = (classification_scores(truth, one, TYPES, fewest=FEWEST_JUDGED) for one in (model, baseline))
    assert (own.n_judged, own.macro_f1, other.macro_f1) == pytest.approx((3, gain.score, gain.baseline_score))
    gap = score_gaps(truth, model, baseline, n_types=4)["macro_f1"]
    assert (gap.mean, gap.low, gap.high) == pytest.approx(
        (gain.difference.mean, gain.difference.low, gain.difference.high)
    )


def test_means_are_those_of_scikit_learn_over_the_types_with_cells_enough() -> None:
    truth, named = drawn(0, wrong=0.3)
    own = classification_scores(truth, named, TYPES, fewest=FEWEST_JUDGED)
    for ours, theirs in (
        (own.macro_f1, f1_score),
        (own.macro_precision, precision_score),
        (own.macro_recall, recall_score),
    ):
        assert ours == pytest.approx(theirs(truth, named, labels=[0, 1, 2], average="macro"))
    assert classification_scores(truth, named, TYPES).macro_f1 == pytest.approx(
        f1_score(truth, named, average="macro")
    )


@pytest.mark.parametrize("score", SCORES)
def test_a_difference_is_that_of_the_scores_and_its_interval_holds_0_where_there_is_none(score: str) -> None:
    truth, model = drawn(0, wrong=0.2)
    _, alike = drawn(2, wrong=0.2)
    _, worse = drawn(3, wrong=0.6)
    own, other = (
        getattr(classification_scores(truth, one, TYPES, fewest=FEWEST_JUDGED), score)
        for one in (model, worse)
    )
    clear = score_gaps(truth, model, worse, n_types=4)[score]
    assert clear.mean == pytest.approx(own - other)
    assert clear.low > 0
    none = score_gaps(truth, model, alike, n_types=4)[score]
    assert none.low < 0 < none.high


def test_one_type_gives_no_interval() -> None:
    truth = np.array([0] * 20 + [1])
    assert not score_gaps(truth, truth, truth, n_types=2)["macro_f1"].known
