"""Calibration on scores whose truth is drawn from known probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.metrics.calibration import (
    brier_score,
    calibration_error,
    equal_mass,
    equal_width,
    fit_temperature,
    log_loss,
    log_scores,
    reliability,
    scaled,
)


def drawn(seed: int, *, n: int = 600, sharper: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw types from the softmax of scores, and give the scores multiplied."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (n, 4))
    p = scaled(scores, 1.0)
    truth = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    return scores * sharper, truth


@given(st.integers(0, 10_000), st.floats(0.1, 8))
def test_a_temperature_never_makes_its_own_cells_less_likely(seed: int, sharper: float) -> None:
    scores, truth = drawn(seed, n=40, sharper=sharper)
    found = fit_temperature(scores, truth)
    assert found.loss <= found.loss_before + 1e-12
    assert log_loss(scores, truth, found.value) == pytest.approx(found.loss)
    np.testing.assert_array_equal(scaled(scores, found.value).argmax(axis=1), scores.argmax(axis=1))


@pytest.mark.parametrize("sharper", [0.4, 1.0, 3.0])
def test_the_temperature_of_scores_that_were_sharpened_is_found(sharper: float) -> None:
    scores, truth = drawn(3, n=6000, sharper=sharper)
    assert fit_temperature(scores, truth).value == pytest.approx(sharper, rel=0.08)


def test_what_was_fitted_on_some_cells_calibrates_others() -> None:
    scores, truth = drawn(5, n=4000, sharper=4.0)
    temperature = fit_temperature(scores[:1000], truth[:1000]).value
    errors = []
    for value in (1.0, temperature):
        p = scaled(scores[1000:], value)
        errors.append(calibration_error(p.max(axis=1), p.argmax(axis=1) == truth[1000:]))
    assert errors[0].low > 0.1
    assert errors[1].high < 0.06


def test_cells_that_are_all_right_have_no_best_temperature() -> None:
    scores = np.eye(3) * 5
    found = fit_temperature(scores, np.arange(3))
    assert not found.found
    assert found.value == 1.0
    assert not fit_temperature(scores[:0], np.arange(0)).found


def test_logarithms_of_probabilities_stand_for_scores() -> None:
    scores, truth = drawn(7)
    again = log_scores(scaled(scores, 1.0).astype(np.float32))
    assert fit_temperature(again, truth).value == pytest.approx(
        fit_temperature(scores, truth).value, rel=1e-4
    )
    assert np.isfinite(log_scores(np.array([[1.0, 0.0]]))).all()
    assert np.isnan(log_scores(np.array([[np.nan, np.nan]]))).all()


def test_bins_hold_their_upper_end() -> None:
    assert equal_width(np.array([0.0, 0.2, 0.2001, 1.0]), 5).tolist() == [0, 0, 1, 4]
    assert np.bincount(equal_mass(np.arange(10) / 10, 4)).tolist() == [3, 3, 2, 2]


def test_reliability_counts_every_cell_once() -> None:
    scores, truth = drawn(9)
    p = scaled(scores, 1.0)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    for bins in (equal_width(confidence), equal_mass(confidence)):
        found = reliability(confidence, right, bins)
        assert found.n.sum() == len(truth)
        assert found.n @ found.accuracy == pytest.approx(right.sum())
        assert found.ece == pytest.approx(
            sum(
                (bins == b).mean() * abs(right[bins == b].mean() - confidence[bins == b].mean())
                for b in np.unique(bins)
            )
        )
    assert np.isnan(reliability(confidence[:0], right[:0], equal_width(confidence[:0])).ece)


def test_brier_is_least_for_what_truth_was_drawn_from() -> None:
    scores, truth = drawn(11, n=4000)
    best = brier_score(scaled(scores, 1.0), truth)
    assert best < min(brier_score(scaled(scores, t), truth) for t in (0.4, 2.5))
