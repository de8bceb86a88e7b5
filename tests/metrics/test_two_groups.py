"""Which genes two groups of cells express differently."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import mannwhitneyu, ttest_ind

from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND, Method, two_groups


def cells(seed: int = 0, n_genes: int = 60) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sparse log counts of 90 cells on two sides and on none; the first genes are higher on the first side."""
    rng = np.random.default_rng(seed)
    sides = np.repeat([FIRST, SECOND, NEITHER], [40, 30, 20])
    counts = rng.poisson(rng.gamma(0.4, 1.0, n_genes), (90, n_genes))
    counts[sides == FIRST, :5] += 2
    counts[:, -2:] = 0
    counts[sides == SECOND, -3] = 0
    return np.log1p(counts).astype(np.float32), sides


def varying(expression: NDArray[np.float32], sides: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Genes that vary on both sides, without which scipy gives no number."""
    return np.all([np.ptp(expression[sides == side], axis=0) > 0 for side in (FIRST, SECOND)], axis=0)


def test_rank_sums_are_those_of_scipy_without_its_correction_for_continuity() -> None:
    expression, sides = cells()
    table = two_groups([sparse.csc_matrix(expression)], sides, method="wilcoxon")
    some = varying(expression, sides)
    given = (expression[sides == side][:, some].astype(np.float64) for side in (FIRST, SECOND))
    theirs = mannwhitneyu(*given, axis=0, use_continuity=False, method="asymptotic")
    assert some.sum() > 30
    np.testing.assert_allclose(table.p_value[some], theirs.pvalue, rtol=1e-9)


def test_welch_is_that_of_scipy() -> None:
    expression, sides = cells()
    table = two_groups([sparse.csc_matrix(expression)], sides, method="welch")
    some = varying(expression, sides)
    given = (expression[sides == side][:, some].astype(np.float64) for side in (FIRST, SECOND))
    theirs = ttest_ind(*given, equal_var=False)
    np.testing.assert_allclose(table.score[some], theirs.statistic, rtol=1e-5)
    np.testing.assert_allclose(table.p_value[some], theirs.pvalue, rtol=1e-4)


@pytest.mark.parametrize("method", ["welch", "wilcoxon"])
def test_blocks_order_of_cells_and_cells_on_neither_side_do_not_matter(method: Method) -> None:
    expression, sides = cells()
    whole = two_groups([sparse.csc_matrix(expression)], sides, method=method)
    shuffled = np.random.default_rng(1).permutation(90)
    shuffled = shuffled[sides[shuffled] != NEITHER]
    parts = [sparse.csc_matrix(expression[shuffled, low : low + 7]) for low in range(0, 60, 7)]
    again = two_groups(parts, sides[shuffled], method=method)
    for name in ("score", "p_value", "adjusted_p", "log2_fold_change", "means", "shares"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ["welch", "wilcoxon"])
def test_the_other_way_round_the_signs_turn(method: Method) -> None:
    expression, sides = cells()
    one = two_groups([sparse.csc_matrix(expression)], sides, method=method)
    turned = np.choose(sides + 1, [NEITHER, SECOND, FIRST])
    other = two_groups([sparse.csc_matrix(expression)], turned, method=method)
    np.testing.assert_allclose(other.score, -one.score, atol=1e-9)
    np.testing.assert_allclose(other.log2_fold_change, -one.log2_fold_change, atol=1e-9)
    np.testing.assert_allclose(other.p_value, one.p_value)


@pytest.mark.parametrize("method", ["welch", "wilcoxon"])
def test_a_gene_that_is_alike_in_all_cells_says_nothing(method: Method) -> None:
    alike = sparse.csc_matrix(np.array([[0.0, 1.0]] * 6))
    table = two_groups([alike], np.array([0, 0, 0, 1, 1, 1]), method=method)
    assert table.score.tolist() == [0, 0]
    assert table.p_value.tolist() == table.adjusted_p.tolist() == [1, 1]
    assert table.log2_fold_change.tolist() == [0, 0]


def test_genes_of_equal_p_are_ordered_by_score_however_small_p_is() -> None:
    expression = np.zeros((8000, 3), dtype=np.float32)
    expression[:3500, 0], expression[:3000, 1], expression[4000:, 2] = 1, 2, 3
    table = two_groups([sparse.csc_matrix(expression)], np.repeat([0, 1], 4000), method="wilcoxon")
    assert table.p_value.tolist() == [0, 0, 0]  # too small for a number
    assert table.order.tolist() == [2, 0, 1]


@pytest.mark.parametrize("method", ["welch", "wilcoxon"])
def test_where_there_is_nothing_to_find_five_in_a_hundred_genes_have_p_below_5_percent(
    method: Method,
) -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(2.0, 1.0, 2000), (400, 2000))
    expression = sparse.csc_matrix(np.log1p(counts).astype(np.float32))
    table = two_groups([expression], rng.permutation(np.repeat([0, 1], [150, 250])), method=method)
    share = np.mean(table.p_value < 0.05)
    assert 0.036 < share < 0.065  # three standard errors are 1.5 %
    assert np.sum(table.adjusted_p < 0.05) <= 2


@pytest.mark.slow
def test_twenty_thousand_cells_and_genes_take_two_seconds_of_one_core() -> None:
    rng = np.random.default_rng(0)
    n, n_values = 20_000, 5_000_000
    lengths = rng.multinomial(n_values, rng.dirichlet(np.full(n, 0.5))).clip(max=n // 2)
    rows = rng.integers(0, n, lengths.sum()).astype(np.int32)
    values = np.log1p(rng.integers(1, 30, len(rows)) * rng.uniform(0.5, 2, n)[rows]).astype(np.float32)
    expression = sparse.csc_matrix((values, rows, np.concatenate([[0], np.cumsum(lengths)])), shape=(n, n))
    sides = rng.integers(0, 2, n)
    for method in ("welch", "wilcoxon"):
        begun = time.process_time()
        two_groups([expression], sides, method=method)
        assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("values", "sides", "why"),
    [
        ([[1.0], [1.0], [2.0]], [0, 1, 1], "1 and 2 cells"),
        ([[1.0], [1.0], [-2.0], [1.0]], [0, 0, 1, 1], "below 0"),
        ([[1.0], [1.0], [np.nan], [1.0]], [0, 0, 1, 1], "no number"),
    ],
)
def test_what_cannot_be_compared_is_refused(values: list[list[float]], sides: list[int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        two_groups([sparse.csc_matrix(np.array(values))], np.array(sides), method="wilcoxon")
