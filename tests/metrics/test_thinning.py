"""Samples of one condition that hold many more counts than those of the other change no gene by that."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.donors import Design, design_of
from scviz.metrics.thinning import MOST_UNLIKE, evened
from scviz.tasks.conditions.changed_genes import genes_of
from tests.donors import sums_of_donors

N_TIMES = 8
LOWEST, HIGHEST = 0.035, 0.065
"""Share of null genes that may have p below 0.05; each number is the mean over some 10,000 genes, not independent."""


def design(n: int, m: int, *, paired: bool) -> Design:
    own = np.arange(n)
    return design_of(np.repeat([0, 1], [n, m]), np.concatenate([own, own if paired else n + np.arange(m)]))


def rate(n: int, m: int, *, depth: float, paired: bool, even: bool) -> float:
    """Share of genes, of which none differs, with p below 0.05."""
    passing = n_tested = 0
    for seed in range(N_TIMES):
        rng = np.random.default_rng(seed)
        sums, one = sums_of_donors(n, m, rng, depth=depth, paired=paired), design(n, m, paired=paired)
        found = genes_of(evened(sums, one, rng).sums if even else sums, one)
        passing += int(np.sum(found.p_value < 0.05))
        n_tested += len(found.genes)
    assert n_tested > 2_000
    return passing / n_tested


@pytest.mark.parametrize("depth", [0.05, 0.2, 1.5, 5, 20])
@pytest.mark.parametrize(
    ("n", "m", "paired"), [(4, 4, False), (8, 3, False), (3, 8, False), (4, 4, True), (8, 8, True)]
)
def test_genes_that_do_not_differ_pass_as_often_as_they_may(
    n: int, m: int, *, paired: bool, depth: float
) -> None:
    assert LOWEST < rate(n, m, depth=depth, paired=paired, even=True) < HIGHEST


def test_without_thinning_unequal_depth_is_taken_for_a_change() -> None:
    assert rate(8, 3, depth=20, paired=False, even=False) > 0.2


def test_changed_genes_are_still_found_at_unequal_depth() -> None:
    rng, one = np.random.default_rng(0), design(4, 4, paired=False)
    found = genes_of(evened(sums_of_donors(4, 4, rng, depth=20, n_changed=100), one, rng).sums, one)
    passing = found.genes[found.adjusted_p <= 0.05]
    assert np.sum(passing < 100) > 0.8 * np.sum(found.genes < 100) > 20
    assert np.mean(passing >= 100) < 0.1


def test_what_is_about_equally_deep_stays_as_it_is() -> None:
    sums, one = np.array([[140], [140], [100], [100]]), design(2, 2, paired=False)
    even = evened(sums, one, np.random.default_rng(0))
    assert even.sums is sums
    assert even.more == 1 < MOST_UNLIKE


def test_samples_of_one_condition_keep_their_ratios_and_the_other_its_counts() -> None:
    sums, one = np.array([[1_000], [1_000], [80_000], [20_000]]), design(2, 2, paired=False)
    even = evened(sums, one, np.random.default_rng(0))
    assert even.more == pytest.approx(1 / 40)
    assert even.sums[:2].tolist() == [[1_000], [1_000]]
    assert even.sums[2, 0] == pytest.approx(4 * even.sums[3, 0], rel=0.25)
    assert sums[2, 0] == 80_000
