"""Sets keep their promise where cells are exchangeable, and only there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from scviz.metrics.conformal import (
    aps_scores,
    bars_by_class,
    conformal_p,
    conformal_quantile,
    coverage_of,
    deviation_by_chance,
    lac_scores,
    least_by_chance,
    least_cells,
    own_scores,
    sets_below,
)

N, K, TIMES = 60, 4, 1500


def draws(seed: int, *, tilt: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw many times N cells to set the bar and one new one; `tilt` makes the new one's scores wrong."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (TIMES, N + 1, K))
    true = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    truth = (rng.random((TIMES, N + 1, 1)) > true.cumsum(-1)).sum(-1).clip(0, K - 1)
    logits[:, -1] += tilt * rng.normal(0, 3, (TIMES, K))
    told = np.exp(2 * logits) / np.exp(2 * logits).sum(-1, keepdims=True)  # twice too sure
    return told, truth


def covered(told: np.ndarray, truth: np.ndarray, method: str, coverage: float) -> int:
    """Count how often the new cell's set holds its type."""
    rng, hits = np.random.default_rng(0), 0
    for p, y in zip(told, truth, strict=True):
        u = rng.random(len(p))
        scores = lac_scores(p) if method in ("lac", "class") else aps_scores(p, u)
        cal, new = own_scores(scores[:-1], y[:-1]), scores[-1:]
        bars = (
            bars_by_class(cal, y[:-1], n_types=K, coverage=coverage)
            if method == "class"
            else conformal_quantile(cal, coverage)
        )
        hits += bool(sets_below(new, bars)[0, y[-1]])
    return hits


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("method", ["lac", "aps", "class"])
def test_sets_hold_the_type_as_often_as_promised(method: str, coverage: float) -> None:
    told, truth = draws(1)
    hits = covered(told, truth, method, coverage)
    # at least the promise; by one part of (cells that set the bar + 1) more at most, by class of fewer cells
    slack = 1 / (N + 1) if method != "class" else K / N * 1.6
    assert binom.cdf(hits, TIMES, coverage) > 1e-3
    assert binom.sf(hits - 1, TIMES, min(1.0, coverage + slack)) > 1e-3


def test_cells_that_are_not_alike_break_the_promise() -> None:
    told, truth = draws(2, tilt=1.0)
    assert binom.cdf(covered(told, truth, "lac", 0.9), TIMES, 0.9) < 1e-6


def test_a_type_alone_may_be_missed_unless_it_has_a_bar_of_its_own() -> None:
    rng = np.random.default_rng(4)
    truth = (rng.random(6000) < 0.05).astype(int)  # type 1 is rare and hard
    odds = np.where(truth == 1, rng.normal(0.3, 1, 6000), rng.normal(-4, 1, 6000))
    p = np.stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))], axis=1)
    cal, scores = own_scores(lac_scores(p[:3000]), truth[:3000]), lac_scores(p[3000:])
    rare = truth[3000:] == 1
    one = sets_below(scores, conformal_quantile(cal, 0.9))[rare, 1].mean()
    own = sets_below(scores, bars_by_class(cal, truth[:3000], n_types=2, coverage=0.9))[rare, 1].mean()
    assert one < 0.75
    assert own > 0.84


@given(st.integers(1, 60), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_bar_is_infinite_exactly_where_cells_are_too_few(n: int, coverage: float) -> None:
    assert np.isinf(conformal_quantile(np.arange(float(n)), coverage)) == (n < least_cells(coverage))


@given(st.integers(0, 1000))
def test_a_set_and_a_share_above_the_rest_are_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cal, new = rng.random(37), rng.random((5, 3))
    bar = conformal_quantile(cal, 0.9)
    np.testing.assert_array_equal(sets_below(new, bar, slack=0), conformal_p(cal, new) > 0.1)


def test_sets_grow_with_the_promise_and_can_be_empty() -> None:
    told, truth = draws(6)
    p, y = told.reshape(-1, K), truth.reshape(-1)
    cal = own_scores(lac_scores(p[:500]), y[:500])
    sets = [sets_below(lac_scores(p[500:900]), conformal_quantile(cal, c)) for c in (0.3, 0.6, 0.9)]
    assert all((small <= large).all() for small, large in pairwise(sets))
    few = coverage_of(sets[0], y[500:900])
    assert few.empty > 0
    assert few.empty + few.single <= 1
    assert coverage_of(sets[2], y[500:900]).observed.low > 0.8


@pytest.mark.parametrize(("coverage", "n_calibrating", "n_judged"), [(0.9, 252, 700), (0.8, 60, 90)])
def test_what_chance_does_to_one_division_is_said_as_it_is(
    coverage: float, n_calibrating: int, n_judged: int
) -> None:
    rng = np.random.default_rng(3)
    odd = rng.random((4000, n_calibrating + n_judged))
    bars = np.array([conformal_quantile(one[:n_calibrating], coverage) for one in odd])
    held = (odd[:, n_calibrating:] <= bars[:, None]).mean(axis=1)
    known = {"n_calibrating": n_calibrating, "n_judged": n_judged}
    assert held.mean() == pytest.approx(coverage, abs=0.01)
    assert held.std() == pytest.approx(deviation_by_chance(coverage, **known), rel=0.05)
    assert 0.01 < (held < least_by_chance(coverage, **known)).mean() < 0.04


def test_a_bar_that_leaves_nothing_out_has_no_chance() -> None:
    assert deviation_by_chance(0.9, n_calibrating=8, n_judged=100) == 0
