"""How near restored expression comes to what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.restoration import Gain, MeanScore, cell_correlations, gain_over, mean_score


def test_a_correlation_is_that_of_numpy_cell_by_cell() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 5, 40)).astype(np.float32)
    wanted = [np.corrcoef(one[i], two[i])[0, 1] for i in range(5)]
    np.testing.assert_allclose(cell_correlations(one, two), wanted, atol=1e-6)


def test_the_whole_cell_correlates_perfectly_with_itself() -> None:
    whole = np.random.default_rng(1).random((3, 9))
    assert cell_correlations(whole, whole) == pytest.approx(1)


def test_the_interval_of_a_mean_narrows_with_the_number_of_cells() -> None:
    rng = np.random.default_rng(2)
    few, many = mean_score(rng.normal(size=20)), mean_score(rng.normal(size=2000))
    assert few.low < few.mean < few.high
    assert many.high - many.low < (few.high - few.low) / 4


def test_without_cells_there_is_no_mean() -> None:
    assert np.isnan(mean_score(np.full(3, np.nan)).mean)


def test_a_gain_is_over_the_best_baseline_on_cells_that_both_restore() -> None:
    model = np.array([0.9, 0.8, np.nan, 0.7])
    gain = gain_over(
        model, {"good": np.array([0.6, 0.6, 0.6, np.nan]), "bad": np.array([0.1, 0.1, 0.1, 0.1])}
    )
    assert gain.baseline == "good"
    assert gain.n_cells == 2
    assert gain.difference.mean == pytest.approx(0.25)
    assert gain.verdict.startswith("Nearer to the whole cells than the baseline: correlation")


@pytest.mark.parametrize(
    ("low", "high", "words"), [(-0.3, -0.1, "Farther from the whole cells"), (-0.1, 0.1, "No gain")]
)
def test_a_loss_and_a_draw_are_said_as_such(low: float, high: float, words: str) -> None:
    difference = MeanScore(mean=(low + high) / 2, low=low, high=high)
    gain = Gain(baseline="b", model_score=0.5, baseline_score=0.6, difference=difference, n_cells=9)
    assert gain.verdict.startswith(words)
