"""Shares of types as log-ratios, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.composition import PSEUDO_CELLS, frequent, log_ratios

ALL = np.ones(3, dtype=bool)


def test_centered_log_ratios_by_hand() -> None:
    counts = np.array([[80, 10, 10], [20, 40, 40]])
    ratios, least = log_ratios(counts, ALL)
    filled = counts + PSEUDO_CELLS
    center = np.log2(filled).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ratios, np.log2(filled) - center)
    np.testing.assert_allclose(ratios.sum(axis=1), 0, atol=1e-12)
    assert least[0, 1] > least[1, 1] > 0


def test_counting_error_is_that_of_drawn_cells() -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(2000, [0.6, 0.3, 0.1], size=20_000)
    ratios, least = log_ratios(counts, ALL)
    np.testing.assert_allclose(ratios.var(axis=0), least.mean(axis=0), rtol=0.05)


def test_a_named_reference_is_not_moved_by_the_others() -> None:
    before, after = np.array([[100, 100, 100]]), np.array([[800, 100, 100]])
    counts = np.concatenate([before, after])
    named, _ = log_ratios(counts, np.array([False, False, True]))
    assert named[1, 0] - named[0, 0] == pytest.approx(3, abs=0.02)
    assert named[1, 1] - named[0, 1] == pytest.approx(0, abs=0.01)
    centered, _ = log_ratios(counts, ALL)
    assert centered[1, 1] - centered[0, 1] == pytest.approx(-1, abs=0.02)  # the others seem to go down


def test_small_samples_do_not_seem_to_have_more_of_rare_types() -> None:
    counts = np.array([[950, 50], [95, 5]])
    ratios, _ = log_ratios(counts, np.ones(2, dtype=bool))
    np.testing.assert_allclose(ratios[0], ratios[1])


def test_types_with_few_cells_are_not_compared_but_those_that_vanish_are() -> None:
    counts = np.array([[60, 38, 2], [60, 38, 2], [98, 0, 2], [98, 0, 2]])
    np.testing.assert_array_equal(frequent(counts, np.array([0, 0, 1, 1])), [True, True, False])
