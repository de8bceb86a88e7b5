"""What is said to be sure is as sure as it says: intervals, chance, random genes, gains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control

from scviz.metrics.evidence import (
    LEVEL,
    Gain,
    Interval,
    auroc,
    bar_of,
    bootstrap,
    fdr,
    pearson,
    place_of,
    random_needed,
    resample,
)
from scviz.metrics.matched_null import MatchedNull

N_SEEDS = 200


def gain(low: float, high: float, *, n: int = 100) -> Gain:
    return Gain(
        model="scGPT",
        baseline="linear",
        score=0.5,
        baseline_score=0.5 - (low + high) / 2,
        difference=Interval(mean=(low + high) / 2, low=low, high=high, n=n),
        unit="correlation",
        counted="cells",
        n=n,
    )


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.03, 0.03, "none"),
        (-0.1, 0.2, "unknown"),
        (np.nan, np.nan, "unknown"),
    ],
)
def test_a_gain_is_ruled_out_only_where_the_interval_ends_below_one_worth_having(
    low: float, high: float, outcome: str
) -> None:
    assert gain(low, high).outcome == outcome


def test_what_cannot_be_told_says_what_it_would_take() -> None:
    found = gain(-0.1, 0.1, n=100)  # four times as wide as what matters: 16 times as many
    assert found.needed == 1600
    assert "Cannot tell" in found.sentence
    assert "About 1,600 cells would show a difference of 0.05, or rule it out." in found.sentence


@pytest.mark.parametrize("low", [0.0, -0.001, -0.01, -0.2])
@pytest.mark.parametrize("high", [0.05, 0.051, 0.07, 0.3])
def test_what_cannot_be_told_takes_more_than_there_are(low: float, high: float) -> None:
    found = gain(low, high, n=100)
    assert found.outcome == "unknown"
    assert found.needed >= 100


@pytest.mark.parametrize("n_units", [6, 8, 12, 60])
def test_bounds_of_the_mean_hold_the_truth_in_95_of_100(n_units: int) -> None:
    rng, n_seeds = np.random.default_rng(0), 5 * N_SEEDS
    inside = 0
    for seed in range(n_seeds):
        found = bootstrap(rng.normal(size=n_units), seed=seed)
        inside += found.low <= 0 <= found.high
    assert binom.cdf(inside, n_seeds, 1 - LEVEL) > 0.001


def test_five_units_give_no_interval() -> None:
    assert not bootstrap([1.0, 1.1, 1.2, 1.3, 1.4]).known
    assert bootstrap([1.0, 1.1, 1.2, 1.3, 1.4, 1.5]).low > 0


def test_whole_clusters_make_wider_intervals_where_their_cells_are_alike() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(20), 30)
    values = rng.normal(size=20)[clusters]
    alone, whole = bootstrap(values), bootstrap(values, clusters=clusters)
    assert whole.high - whole.low > 3 * (alone.high - alone.low)


def test_sets_of_genes_that_crowd_at_several_places_can_be_drawn() -> None:
    crowds = [place + np.linspace(0, 0.1, 100) for place in (150.5, 171.5, 192.5)]
    null = MatchedNull(np.concatenate([np.arange(400.0), *crowds]))
    drawn = null.sets(np.arange(400, 700), 3, rng=np.random.default_rng(0))
    assert drawn.max() < 400
    assert all(len(set(row)) == 300 for row in drawn.tolist())


def test_values_that_are_not_known_are_left_out() -> None:
    assert bootstrap([1.0, np.nan, *[1.0] * 5]) == Interval(mean=1.0, low=1.0, high=1.0, n=6)
    assert np.isnan(bootstrap([]).mean)


def test_a_statistic_that_is_not_a_mean_has_an_interval_too() -> None:
    values = np.arange(50.0)
    found = resample(lambda times: (times * values).max(axis=1), 50)
    assert found.mean == 49.0
    assert found.high >= 49.0


def test_where_there_is_nothing_to_find_one_in_twenty_is_called() -> None:
    rng = np.random.default_rng(1)
    called = sum(place_of(*_exchangeable(rng, 99)).p <= LEVEL for _ in range(N_SEEDS * 5))
    assert binom.sf(called - 1, N_SEEDS * 5, LEVEL) > 0.001


def _exchangeable(rng: np.random.Generator, n: int) -> tuple[float, np.ndarray]:
    drawn = rng.normal(size=n + 1)
    return float(drawn[0]), drawn[1:]


def test_the_best_of_many_tests_can_pass_with_as_many_random_ones_as_are_needed_and_not_with_one_less() -> (
    None
):
    for n_tests in (1, 2, 50):
        n = random_needed(n_tests)
        assert n_tests / (n + 1) <= LEVEL
        assert n_tests / n > LEVEL


@pytest.mark.parametrize("n_tests", [1, 7, 20])
def test_above_the_bar_one_of_several_tests_passes_alone_and_at_it_none_does(n_tests: int) -> None:
    others = np.random.default_rng(n_tests).normal(size=2 * random_needed(n_tests))
    bar, rest = bar_of(others, n_tests), [1.0] * (n_tests - 1)
    assert fdr([place_of(bar + 1e-9, others).p, *rest])[0] <= LEVEL < fdr([place_of(bar, others).p, *rest])[0]


def test_too_few_random_ones_have_no_bar() -> None:
    assert np.isnan(bar_of(np.arange(random_needed(3) - 1), 3))
    assert bar_of([np.nan, *range(random_needed(3))], 3) == random_needed(3) - 1


def test_false_discovery_rates_leave_out_what_was_not_tested() -> None:
    assert fdr([np.nan, 0.02, 0.5]).tolist()[1:] == [0.04, 0.5]
    p = np.array([0.3, 0.001, 0.04, 0.04, 0.9, 0.013])
    by_hand = [min(q * len(p) / (p <= q).sum() for q in p if q >= one) for one in p]
    np.testing.assert_allclose(fdr(p), by_hand)
    assert np.isnan(fdr([np.nan])).all()


def test_false_discovery_rates_are_those_of_scipy_also_among_ties() -> None:
    p = np.random.default_rng(0).uniform(size=500).round(2) ** 2
    np.testing.assert_allclose(fdr(p), false_discovery_control(p), rtol=1e-12)
    with pytest.raises(ValueError, match="between 0 and 1"):
        fdr([0.5, 1.5])


def test_areas_and_correlations_of_hand_made_numbers() -> None:
    assert auroc([1.0, 1.0, 2.0, 0.0], [True, False, True, False]) == 0.875
    assert np.isnan(auroc([1.0], [True]))
    assert pearson([[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]).tolist() == [-1.0]


def test_random_genes_are_expressed_like_the_given_ones_and_hold_none_of_them() -> None:
    rng = np.random.default_rng(0)
    levels = rng.permutation(2000).astype(float)
    own = np.argsort(levels)[[10, 500, 1000, 1990]]
    drawn = MatchedNull(levels).sets(own, 300, rng=rng)
    assert drawn.shape == (300, 4)
    assert not np.isin(drawn, own).any()
    assert np.abs(levels[drawn] - levels[own]).max() <= 110
    assert all(len(set(row)) == 4 for row in drawn.tolist())


def test_a_module_that_fills_a_level_of_expression_still_has_random_genes() -> None:
    levels = np.arange(200.0)
    drawn = MatchedNull(levels).sets(np.arange(90, 130), 20, rng=np.random.default_rng(0))
    assert drawn.shape == (20, 40)
    assert all(len(set(row)) == 40 for row in drawn.tolist())


def test_only_genes_of_the_pool_are_drawn_and_the_nearest_where_there_are_few() -> None:
    null = MatchedNull(np.arange(100.0), pool=[3, 50, 97])
    assert sorted(null.genes(51, 10, rng=np.random.default_rng(0)).tolist()) == [3, 50, 97]
    assert null.sets([1, 2, 4, 5], 3, rng=np.random.default_rng(0)).shape == (0, 4)
    few = MatchedNull(np.arange(1000.0)).genes(0, 30, rng=np.random.default_rng(0))
    assert len(set(few.tolist())) == 30
    assert few.max() <= 60
