"""Conditions compared donor by donor, against scipy and against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scviz.metrics.donors import Design, design_of, differences, log_levels, moderated_differences, swapped


def paired(n: int) -> Design:
    return design_of(np.repeat([0, 1], n), np.tile(np.arange(n), 2))


def nested(n: int) -> Design:
    return design_of(np.repeat([0, 1], n), np.arange(2 * n))


@pytest.mark.parametrize("n", [2, 3, 8])
def test_t_and_its_interval_are_those_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(size=(2 * n, 5))
    for design, theirs in (
        (paired(n), stats.ttest_rel(values[:n], values[n:])),
        (nested(n), stats.ttest_ind(values[:n], values[n:], equal_var=False)),
    ):
        found = differences(values, design)
        np.testing.assert_allclose(found.p_value, theirs.pvalue, rtol=1e-9)
        interval = theirs.confidence_interval(0.95)
        np.testing.assert_allclose(found.mean - found.half_width(), interval.low, rtol=1e-9)
        np.testing.assert_allclose(found.mean + found.half_width(), interval.high, rtol=1e-9)


def test_donors_of_both_conditions_are_paired_and_the_others_left_out() -> None:
    sides, donors = np.array([0, 0, 0, 1, 1, 1]), np.array([7, 8, 9, 9, 8, 5])
    design = design_of(sides, donors)
    assert design.paired
    assert design.n_single == 2
    np.testing.assert_array_equal(donors[design.first], donors[design.second])
    assert set(donors[design.first]) == {8, 9}


def test_a_single_donor_in_both_pairs_nobody() -> None:
    design = design_of(np.array([0, 0, 1, 1]), np.array([1, 2, 2, 3]))
    assert not design.paired
    assert (len(design.first), len(design.second)) == (2, 2)
    few = design_of(np.array([0] * 8 + [1] * 8), np.array([*range(8), 6, 7, *range(10, 16)]))
    assert not few.paired  # two of eight in both: the other twelve would be lost


def test_one_donor_tells_nothing() -> None:
    found = differences(np.array([[1.0], [3.0]]), nested(1))
    assert found.mean[0] == -2
    assert np.isnan(found.half_width()[0])
    assert np.isnan(found.p_value[0])


def test_no_error_is_smaller_than_that_of_counting() -> None:
    values = np.array([[2.0], [2.0], [1.0], [1.0]])
    assert np.isnan(differences(values, paired(2)).p_value[0])
    found = differences(values, paired(2), least=np.full((4, 1), 0.5))
    assert found.error[0] == pytest.approx(np.sqrt(2 * 0.5 / 4 + 2 * 0.5 / 4))
    assert found.p_value[0] > 0.05


@pytest.mark.parametrize("design", [paired(3), nested(3)], ids=["paired", "nested"])
def test_moderated_t_keeps_its_level_and_finds_more_than_t_alone(design: Design) -> None:
    rng = np.random.default_rng(0)
    spread = np.sqrt(0.1 * 6 / rng.chisquare(6, size=4000))  # six degrees of freedom are shared
    values = rng.normal(size=(6, 4000)) * spread
    none = moderated_differences(values, design)
    assert np.mean(none.p_value < 0.05) == pytest.approx(0.05, abs=0.012)
    assert none.freedom[0] == pytest.approx((2 if design.paired else 4) + 6, rel=0.25)
    values[:3, :400] += 1.5
    moderated, alone = (test(values, design).p_value[:400] for test in (moderated_differences, differences))
    assert np.mean(moderated < 0.001) > 1.5 * np.mean(alone < 0.001)


def test_few_genes_share_nothing() -> None:
    values = np.random.default_rng(1).normal(size=(6, 10))
    np.testing.assert_allclose(
        moderated_differences(values, paired(3)).p_value, differences(values, paired(3)).p_value
    )


def test_a_few_strong_genes_and_depth_do_not_move_the_others() -> None:
    sums = np.full((4, 50), 100)
    sums[:2, :5] = 2000  # five genes rise twentyfold in the first condition
    sums[0] *= 3
    levels = log_levels(sums)
    np.testing.assert_allclose(levels[:, 5:], levels[0, 5], atol=0.02)
    assert levels[0, 0] - levels[2, 0] == pytest.approx(np.log2(20), abs=0.05)


@pytest.mark.parametrize("design", [paired(4), nested(4)], ids=["paired", "nested"])
def test_swapped_conditions_are_mixed_and_lose_nobody(design: Design) -> None:
    mixed = swapped(design, np.random.default_rng(0))
    assert sorted(mixed.rows) == sorted(design.rows)
    assert len(np.intersect1d(mixed.first, design.first)) == 2
    assert len(mixed.first) == 4
