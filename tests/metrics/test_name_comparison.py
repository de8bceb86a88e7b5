"""How far two columns of names agree."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.name_comparison import (
    BROADER,
    COARSE,
    DIFFERENT,
    NARROWER,
    SAME,
    UNKNOWN,
    compare_names,
)

# own: CD4 T, B; other: CD4 T, T, B, odd
RELATIONS = np.array([[SAME, NARROWER, DIFFERENT, UNKNOWN], [DIFFERENT, DIFFERENT, SAME, UNKNOWN]])


def test_shares_are_those_counted_by_hand() -> None:
    own = np.array([0, 0, 0, 1, 1, 1, 1, -1])
    other = np.array([0, 1, 2, 2, 2, 3, -1, 0])
    found = compare_names(own, other, RELATIONS)
    assert found.of_cells.tolist() == [SAME, NARROWER, DIFFERENT, SAME, SAME, UNKNOWN, -1, -1]
    assert (found.n_both, found.n_unknown) == (6, 1)
    assert found.exact.mean == pytest.approx(3 / 5)
    assert found.coarse.mean == pytest.approx(4 / 5)
    assert [(one.own, one.other, one.n_cells) for one in found.pairs] == [(0, 2, 1), (1, 3, 1), (0, 1, 1)]


def test_names_that_are_dealt_anew_agree_as_often_as_by_chance() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.integers(0, 2, 4000), rng.integers(0, 3, 4000)
    found = compare_names(own, other, RELATIONS)
    assert found.coarse.low < found.by_chance < found.coarse.high


def test_the_interval_is_that_of_a_share_of_so_many_cells() -> None:
    own = np.zeros(400, dtype=int)
    other = np.repeat([0, 2], [300, 100])
    share = compare_names(own, other, RELATIONS).exact
    assert (share.high - share.low) / 2 == pytest.approx(1.96 * np.sqrt(0.75 * 0.25 / 400), rel=0.1)


def test_nothing_in_common_says_nothing() -> None:
    found = compare_names(np.array([0, -1]), np.array([-1, 0]), RELATIONS)
    assert found.n_both == 0
    assert np.isnan([found.exact.mean, found.coarse.mean, found.by_chance]).all()
    assert not found.pairs


@pytest.mark.parametrize("relation", [BROADER, COARSE])
def test_a_name_that_says_less_agrees_coarsely_only(relation: int) -> None:
    found = compare_names(np.zeros(9, dtype=int), np.zeros(9, dtype=int), np.array([[relation]]))
    assert (found.exact.mean, found.coarse.mean) == (0, 1)
