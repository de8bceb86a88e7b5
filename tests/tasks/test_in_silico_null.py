"""False findings where there is nothing to find, and power where there is, of every test that a run makes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from scviz.tasks.in_silico.statistics import Random, alone, placed

SEEDS = 200
MOST_FALSE = int(binom.ppf(0.975, SEEDS, 0.05))
"""Runs of 200 with a false finding, at 5 %."""


def moves(
    rng: np.random.Generator, n_genes: int, *, spread: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far genes move cells, more so the higher they are expressed, and how high that is, (G,) and (G,)."""
    levels = np.arange(n_genes, dtype=np.float64)
    return np.exp(spread * rng.normal(size=n_genes)) * (1 + 4 * levels / n_genes), levels


def found_after_screen(
    n_genes: int, n_random: int, seed: int, *, up: float = 1.0, spread: float = 1.0
) -> int:
    """Screen all genes with 20 % noise, edit the best 50, test them in the same cells: how many are called."""
    rng = np.random.default_rng(seed)
    values, levels = moves(rng, n_genes, spread=spread)
    values[rng.choice(n_genes, 10, replace=False)] *= up
    top = np.argsort(-values * np.exp(0.2 * rng.normal(size=n_genes)))[:50]
    drawn = rng.choice(n_genes, min(n_random, n_genes), replace=False)
    same = np.array([int(np.flatnonzero(drawn == gene)[0]) if gene in drawn else -1 for gene in top])
    random = Random(null="all", means=values[drawn], levels=levels[drawn], same=same, n_tests=n_genes)
    return sum(shift.fdr <= 0.05 for shift in placed(values[top], levels[top], random))


def found_in_all(n_genes: int, seed: int, *, up: float = 1.0, spread: float = 1.0) -> int:
    rng = np.random.default_rng(seed)
    values, levels = moves(rng, n_genes, spread=spread)
    values[rng.choice(n_genes, 10, replace=False)] *= up
    random = Random(null="all", means=values, levels=levels, same=np.arange(n_genes), n_tests=n_genes)
    return sum(shift.fdr <= 0.05 for shift in placed(values, levels, random))


def found_in_list(n_random: int, seed: int, *, up: float = 1.0, both_sides: bool = False) -> int:
    """Edit 50 of 2,000 genes, of which 10 move cells farther, beside shared random genes."""
    rng = np.random.default_rng(seed)
    values, levels = moves(rng, 2000)
    if both_sides:
        values *= rng.normal(size=2000)
    asked, others = np.split(rng.permutation(2000), [50])
    values[asked[:10]] *= up
    drawn = others[:n_random]
    random = Random(
        null="shared",
        means=values[drawn],
        levels=levels[drawn],
        same=np.full(50, -1),
        n_tests=50,
        both_sides=both_sides,
    )
    return sum(shift.fdr <= 0.05 for shift in placed(values[asked], levels[asked], random))


@pytest.mark.parametrize("n_genes", [700, 5000, 15_000])
@pytest.mark.parametrize("n_random", [20, 100, 999])
def test_the_best_of_a_screen_are_not_called_where_genes_are_exchangeable(
    n_genes: int, n_random: int
) -> None:
    false = sum(found_after_screen(n_genes, n_random, seed) > 0 for seed in range(SEEDS))
    assert false <= MOST_FALSE


@pytest.mark.parametrize("n_genes", [700, 5000])
def test_of_all_genes_none_is_called_where_they_are_exchangeable(n_genes: int) -> None:
    assert sum(found_in_all(n_genes, seed) > 0 for seed in range(SEEDS)) <= MOST_FALSE


def own_random(means: NDArray[np.float64]) -> Random:
    """The random genes of one edit, (R,), which are expressed alike already."""
    return Random(null="own", means=means, levels=np.zeros(len(means)), same=np.array([-1]), n_tests=1)


@pytest.mark.parametrize("both_sides", [False, True])
@pytest.mark.parametrize("n_random", [199, 999])
def test_a_list_has_no_more_false_findings_than_are_stated(n_random: int, *, both_sides: bool) -> None:
    false = sum(found_in_list(n_random, seed, both_sides=both_sides) > 0 for seed in range(SEEDS))
    assert false <= MOST_FALSE


def test_one_edit_is_called_by_chance_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    drawn = np.exp(rng.normal(size=(2000, 200)))
    called = sum(placed(row[:1], [0.0], own_random(row[1:]))[0].p <= 0.05 for row in drawn)
    assert called <= binom.ppf(0.975, 2000, 0.05)


def test_ten_of_fifty_genes_that_move_cells_fifty_times_farther_are_found_with_the_default() -> None:
    found = [found_in_list(999, seed, up=50) for seed in range(20)]
    assert np.mean(found) >= 9
    assert np.mean([found_in_list(199, seed, up=50) for seed in range(20)]) >= 8


@pytest.mark.parametrize(("n_genes", "power"), [(700, 0.5), (5000, 0.9)])
def test_genes_that_move_cells_fifty_times_farther_are_found_among_all(n_genes: int, power: float) -> None:
    """Where genes expressed alike differ by a factor of 1.65 (one standard deviation)."""
    screened = [found_after_screen(n_genes, 999, seed, up=50, spread=0.5) for seed in range(20)]
    every = [found_in_all(n_genes, seed, up=50, spread=0.5) for seed in range(20)]
    assert min(np.mean(screened), np.mean(every)) >= 10 * power


def test_band_and_p_never_contradict_each_other() -> None:
    rng = np.random.default_rng(1)
    for null, both_sides in (
        ("own", False),
        ("own", True),
        ("shared", False),
        ("shared", True),
        ("all", False),
    ):
        means, levels = moves(rng, 240)
        if both_sides:
            means *= rng.normal(size=240)
        random = Random(
            null=null,  # type: ignore[arg-type]
            means=means[40:],
            levels=levels[40:],
            same=np.full(40, -1),
            n_tests=40,
            both_sides=both_sides,
        )
        for shift in placed(means[:40] * 3, levels[:40], random):
            outside = not shift.random_low <= shift.mean <= shift.random_high
            if both_sides or shift.mean > shift.random_low:
                assert outside == (shift.p <= 0.05), (null, both_sides, shift)


def test_a_gene_alone_is_found_where_it_moves_cells_as_far_as_is_said() -> None:
    rng = np.random.default_rng(2)
    values, levels = moves(rng, 1999)
    random = Random(null="shared", means=values, levels=levels, same=np.array([-1]), n_tests=50)
    usual = placed(np.array([1.0]), [1000.0], random)[0].random_middle
    bar = alone(random) * usual
    for factor, passes in ((1.01, True), (0.9, False)):
        found = placed(np.array([bar * factor]), [1000.0], random)[0]
        assert (found.fdr <= 0.05) == passes


def test_false_discovery_rates_are_over_all_that_were_screened() -> None:
    values, levels = moves(np.random.default_rng(0), 1000)
    random = Random(null="all", means=values, levels=levels, same=np.array([-1]), n_tests=1000)
    (shift,) = placed(np.array([1e9]), [500.0], random)
    assert shift.fdr == pytest.approx(min(1.0, 1000 * shift.p))


def test_an_edit_that_is_a_random_gene_itself_is_not_compared_with_itself() -> None:
    values = np.arange(1.0, 41.0)
    random = Random(null="shared", means=values, levels=np.zeros(40), same=np.array([39]), n_tests=1)
    assert placed(values[39:], [0.0], random)[0].rank == 1
