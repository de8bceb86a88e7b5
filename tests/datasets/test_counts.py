"""Counts are told from log values, and come back from them exactly or not at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from scviz.datasets.converting import Conversion
from scviz.datasets.counts import Scale, scale_of
from scviz.datasets.recovery import LOGARITHMS, Transform, stored_decimals, transform_of
from scviz.datasets.rows import Rows
from scviz.errors import CountsError

COUNTS = arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(3, 12)), elements=st.integers(0, 2000))


def rows_of(values: np.ndarray) -> Rows:
    matrix = csr_matrix(values)
    return Rows(values=matrix.data, bounds=matrix.indptr.astype(np.int64))


def logs(counts: np.ndarray, target: float, base: float = math.e) -> np.ndarray:
    sums = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return (np.log1p(counts / sums * target) / np.log(base)).astype(np.float32)


def undivided(counts: np.ndarray) -> np.ndarray:
    """Divide each cell by what all its counts share, and leave out cells whose smallest count is above 10."""
    divisor = np.maximum(np.gcd.reduce(counts, axis=1), 1)[:, None]
    counts = counts // divisor
    smallest = np.where(counts > 0, counts, 10**9).min(axis=1)
    return counts[(smallest <= 10)]


def recover_counts(values: np.ndarray | csr_matrix, transform: Transform | None = None) -> csr_matrix:
    """Counts behind values, as opening finds them."""
    stored = csr_matrix(values, copy=True)
    stored.eliminate_zeros()
    conversion = Conversion(
        location="X",
        kind="log-normalized, recoverable",
        transform=transform or transform_of(rows_of(stored)),
        evidence="",
        chosen=False,
        relative=False,
    )
    counts = conversion.block(stored)
    conversion.done()
    return counts


def judge(values: np.ndarray, **choices: float) -> Scale:
    return scale_of(rows_of(values), **choices)


@given(COUNTS, st.sampled_from([1e3, 1e4, 1e6]), st.sampled_from([math.e, 2.0]))
def test_counts_come_back_exactly(counts: np.ndarray, target: float, base: float) -> None:
    counts = undivided(counts)
    if counts.max(initial=0) < 2:
        return
    recovered = recover_counts(logs(counts, target, base), Transform(base=base))
    assert np.array_equal(recovered.toarray(), counts)


@given(arrays(np.float32, (4, 40), elements=st.floats(0.5, 6, width=32), unique=True))
def test_arbitrary_values_are_no_logs_of_counts(values: np.ndarray) -> None:
    with pytest.raises(CountsError, match="not whole multiples") as caught:
        recover_counts(csr_matrix(values), LOGARITHMS[0])
    assert "raw counts" in caught.value.hint


def test_a_cell_whose_smallest_count_is_two_comes_back() -> None:
    counts = np.array([[2, 3, 5, 0], [1, 1, 4, 9]])
    assert np.array_equal(recover_counts(logs(counts, 1e4)).toarray(), counts)


def test_a_cell_of_even_counts_comes_back_halved() -> None:
    counts = np.array([[2, 4, 6, 0], [1, 1, 4, 9]])
    assert recover_counts(logs(counts, 1e4)).toarray()[0].tolist() == [1, 2, 3, 0]


def test_large_counts_come_back_from_single_precision() -> None:
    counts = np.array([[1, 7, 19_999, 350], [1, 3, 8_191, 2]])
    assert np.array_equal(recover_counts(logs(counts, 1e4)).toarray(), counts)


def test_values_rounded_to_three_decimals_come_back() -> None:
    counts = np.random.default_rng(0).poisson(4, (30, 200))
    rounded = np.round(logs(counts, 1e4), 3)
    assert np.array_equal(recover_counts(rounded).toarray(), counts)


def test_one_damaged_value_is_noticed() -> None:
    values = logs(np.random.default_rng(0).poisson(4, (30, 200)), 1e4)
    values[3, 5] += 0.01
    with pytest.raises(CountsError, match="of 1 of 30 cells"):
        recover_counts(values, LOGARITHMS[0])


def test_the_sum_and_the_base_are_reported() -> None:
    scale = judge(logs(np.array([[1, 2, 5], [3, 1, 0]]), 1e6, base=2))
    assert scale.target == pytest.approx(1e6, rel=1e-4)
    assert scale.transform.base == 2


def test_values_that_only_say_seen_or_not_are_refused() -> None:
    with pytest.raises(CountsError, match="which genes were seen"):
        recover_counts(np.array([[0.7, 0.7, 0], [0, 0.7, 0.7]]), LOGARITHMS[0])


def test_what_comes_in_stays_as_it_is() -> None:
    matrix = csr_matrix(logs(np.array([[1, 2, 5], [3, 1, 0]]), 1e4))
    matrix.data[0] = 0
    before = matrix.copy()
    recover_counts(matrix)
    assert np.array_equal(matrix.data, before.data)
    assert matrix.nnz == before.nnz


def test_empty_cells_stay_empty() -> None:
    counts = np.array([[0, 0, 0], [1, 2, 5], [0, 0, 0]])
    assert np.array_equal(recover_counts(logs(counts, 1e4)).toarray(), counts)


def test_counts_are_known_by_whole_numbers() -> None:
    scale = judge(np.array([[0, 419.0], [1, 3]]))
    assert (scale.kind, scale.evidence) == ("counts", "Whole numbers, 0 to 419, in 2 sampled cells.")


@pytest.mark.parametrize(("target", "said"), [(1e4, "10,000"), (1e6, "1,000,000")])
def test_log_values_are_known_by_their_sums(target: float, said: str) -> None:
    scale = judge(logs(np.random.default_rng(0).poisson(2, (20, 50)), target))
    assert scale.kind == "log-normalized, recoverable"
    assert (
        f"With the logarithm undone (expm1), the values of every sampled cell add up to {said}"
        in scale.evidence
    )


def test_log_values_of_something_else_are_not_recoverable() -> None:
    rng = np.random.default_rng(0)
    scale = judge(logs(rng.gamma(1.0, size=(20, 50)), 1e4))
    assert scale.kind == "log-normalized"
    assert "not all values" in scale.evidence


def test_negative_values_are_scaled() -> None:
    assert judge(np.array([[-1.5, 2.0], [0.5, 0.1]])).kind == "scaled"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.0, 0.0]], "All values are zero"),
        ([[np.nan, 1.0]], "missing or infinite"),
    ],
)
def test_other_values_are_described(values: list[list[float]], said: str) -> None:
    scale = judge(np.array(values))
    assert scale.kind == "other"
    assert said in scale.evidence


def test_pieces_of_cells_are_not_taken_for_cells() -> None:
    rows = rows_of(logs(np.random.default_rng(0).poisson(2, (20, 50)), 1e4))
    scale = scale_of(Rows(values=rows.values, bounds=rows.bounds, whole=False))
    assert scale.kind == "log-normalized"
    assert "no cell was checked" in scale.evidence


def test_values_as_computed_have_no_last_decimal() -> None:
    assert stored_decimals(logs(np.random.default_rng(0).poisson(2, (20, 50)), 1e4)) is None


def test_cells_are_worked_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.random.default_rng(0).poisson(2, (20, 50))
    monkeypatch.setattr("scviz.datasets.rows.PIECE", 100)
    assert np.array_equal(recover_counts(logs(counts, 1e4)).toarray(), counts)
