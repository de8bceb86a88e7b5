"""Cells are divided without leaks."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.datasets.split import Split, split_cells
from scviz.errors import RequestError

LABELS = st.lists(st.sampled_from(["", "A", "B", "C"]), min_size=40, max_size=80)


def divide(labels: list[str], **choices: object) -> Split:
    return split_cells(
        np.array(labels), **{"test_fraction": 0.25, "validation_fraction": 0.2, "seed": 0} | choices
    )


@given(LABELS, st.integers(0, 5))
def test_every_labeled_cell_is_in_one_part(labels: list[str], seed: int) -> None:
    labels = ["A"] * 8 + labels
    split = divide(labels, seed=seed)
    rows = np.concatenate([split.train, split.validation, split.test])
    assert sorted(rows.tolist()) == [i for i, label in enumerate(labels) if label]


@given(LABELS, st.integers(0, 5))
def test_no_label_is_absent_from_training_when_cells_are_drawn(labels: list[str], seed: int) -> None:
    assert divide(["A"] * 8 + labels, seed=seed).absent == ()


@given(LABELS, st.integers(0, 5))
def test_no_group_is_on_both_sides(labels: list[str], seed: int) -> None:
    labels = ["A"] * 8 + labels
    groups = np.array([f"donor {i % 4}" for i in range(len(labels))])
    split = divide(labels, groups=groups, seed=seed)
    learned = set(groups[np.concatenate([split.train, split.validation])])
    assert not learned & set(groups[split.test])
    assert set(groups[split.test]) <= set(split.held_out_groups)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=8), st.floats(0.05, 0.95), st.integers(0, 3))
def test_the_groups_held_out_are_those_nearest_to_the_share(
    sizes: list[int], share: float, seed: int
) -> None:
    groups = np.repeat([f"group {i}" for i in range(len(sizes))], sizes)
    try:
        split = divide(
            ["A"] * sum(sizes), groups=groups, test_fraction=share, validation_fraction=0, seed=seed
        )
    except RequestError:  # a single cell that would have to be divided
        return
    every = [sum(some) for n in range(1, len(sizes)) for some in combinations(sizes, n)]
    nearest = min(abs(total - share * sum(sizes)) for total in every)
    assert abs(len(split.test) - share * sum(sizes)) == pytest.approx(nearest, abs=1e-9)
    assert 1 <= len(split.held_out_groups) < len(sizes)
    assert split.test_share == len(split.test) / sum(sizes)


def test_a_large_first_group_is_not_held_out_for_a_small_share() -> None:
    groups = np.repeat(["large", "a", "b", "c"], [61, 13, 13, 13])
    for seed in range(20):
        split = divide(["A"] * 100, groups=groups, test_fraction=0.2, seed=seed)
        assert split.test_share == 0.26  # nearer to 0.2 than 0.13
        assert len(split.held_out_groups) == 2
        assert "large" not in split.held_out_groups


def test_equal_choices_are_drawn_by_the_seed() -> None:
    groups = np.repeat([f"donor {i}" for i in range(5)], 20)
    drawn = {
        divide(["A"] * 100, groups=groups, test_fraction=0.2, seed=seed).held_out_groups for seed in range(40)
    }
    assert drawn == {(f"donor {i}",) for i in range(5)}


def test_of_thousands_of_groups_the_share_is_held_out() -> None:
    groups = np.repeat([f"clone {i}" for i in range(3000)], np.random.default_rng(0).integers(1, 30, 3000))
    split = divide(["A"] * len(groups), groups=groups, test_fraction=0.2)
    assert abs(len(split.test) - 0.2 * len(groups)) <= 0.5


def test_each_label_gives_its_share() -> None:
    split = divide(["A"] * 80 + ["B"] * 20, validation_fraction=0.25)
    assert (np.sum(split.test < 80), np.sum(split.test >= 80)) == (20, 5)
    assert len(split.validation) == 19


def test_the_same_seed_gives_the_same_split() -> None:
    labels = ["A", "B"] * 30
    assert divide(labels).test.tolist() == divide(labels).test.tolist()
    assert divide(labels).test.tolist() != divide(labels, seed=1).test.tolist()


def test_labels_of_held_out_groups_alone_are_reported() -> None:
    labels = ["A"] * 30 + ["B"] * 30
    split = divide(labels, groups=["one"] * 30 + ["two"] * 30)
    assert len(split.absent) == 1
    assert split.absent[0] == ("A" if split.held_out_groups == ("one",) else "B")


def test_cells_without_a_group_are_in_no_part() -> None:
    split = divide(["A"] * 60, groups=["one"] * 20 + ["two"] * 20 + [""] * 20)
    assert max(np.concatenate([split.train, split.validation, split.test])) < 40


def test_one_group_cannot_be_held_out() -> None:
    with pytest.raises(RequestError, match="two or more"):
        divide(["A"] * 60, groups=["one"] * 60)


def test_a_share_of_all_is_refused() -> None:
    with pytest.raises(RequestError, match="cannot be held out"):
        divide(["A"] * 60, test_fraction=1.0)


def test_too_few_cells_are_refused() -> None:
    with pytest.raises(RequestError, match="too few") as caught:
        divide(["A"] + [""] * 5)
    assert "labeled cells" in caught.value.hint
