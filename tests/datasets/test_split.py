"""Cells are divided without leaks."""

from __future__ import annotations

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
def test_every_labelled_cell_is_in_one_part(labels: list[str], seed: int) -> None:
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
    assert "labelled cells" in caught.value.hint
