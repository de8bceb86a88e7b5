"""Named groups as a column and as a table."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scviz.datasets.named_cells import group_column, groups_csv
from scviz.workspace.csv_files import guarded

NAMES = st.text(max_size=6).map(lambda text: " ".join(text.split())).filter(bool)
GROUPS = st.dictionaries(NAMES, st.lists(st.integers(0, 19), unique=True).map(sorted), max_size=5)


@given(GROUPS)
def test_the_table_has_a_row_for_each_cell_of_each_group_whatever_the_names(
    groups: dict[str, list[int]],
) -> None:
    names = [f"cell, {i}" for i in range(20)]
    text = groups_csv({name: np.array(rows, dtype=np.int64) for name, rows in groups.items()}, names)
    rows = list(csv.reader(StringIO(text, newline="")))
    assert rows[0] == ["cell", "group"]
    assert rows[1:] == [[names[row], guarded(name)] for name, members in groups.items() for row in members]


@given(GROUPS)
def test_the_column_names_all_groups_of_a_cell_in_their_order(groups: dict[str, list[int]]) -> None:
    column = group_column({name: np.array(rows, dtype=np.int64) for name, rows in groups.items()}, 20)
    assert column.tolist() == [
        " | ".join(name for name, members in groups.items() if row in members) for row in range(20)
    ]


def test_a_million_cells_in_three_groups_take_a_moment() -> None:
    groups = {name: np.arange(start, 1_000_000, 2) for start, name in enumerate("abc")}
    column = group_column(groups, 1_000_000)
    assert column[:4].tolist() == ["a", "b", "a | c", "b"]
