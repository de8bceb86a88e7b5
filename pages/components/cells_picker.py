"""Which cells: all, a named group, or values of a column."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.components import state
from scviz.tasks.filters import Filter
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import group_version, read_groups

ALL, GROUP = "all cells", "my named groups"
MOST_VALUES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChoice:
    """Cells as a request names them."""

    cells: tuple[Filter, ...] = ()
    group: str = ""
    group_version: str = ""


def columns_of(dataset: DatasetInfo) -> list[str]:
    """List the columns that name groups of cells, known types first."""
    names = (name for kind in ("label", "batch", "category") for name in dataset.columns_of(kind))
    return [name for name in names if dataset.column(name).n_values <= MOST_VALUES]


def pick_cells(dataset: DatasetInfo) -> CellChoice:
    """Let the user choose cells; the fullest value of the first column is taken at first."""
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    columns = columns_of(dataset)
    choice = st.selectbox(
        "Cells from",
        [*columns, *([GROUP] if groups else []), ALL],
        help="A column of the file, or a group that you circled and named on the Explore page.",
        key="cells_from",
    )
    if choice == ALL:
        return CellChoice()
    if choice == GROUP:
        name = st.selectbox("Group", list(groups), key="cells_group")
        return CellChoice(group=name, group_version=group_version(groups[name]))
    return _choice(_values(dataset, choice, "cells_values"))


def narrow(dataset: DatasetInfo, choice: CellChoice) -> CellChoice:
    """Let the user keep only those of the cells that have some values in a second column."""
    taken = {one.column for one in choice.cells}
    options = [column for column in columns_of(dataset) if column not in taken]
    more = st.selectbox(
        "Only cells with",
        ["", *([] if choice.group else options)],
        format_func=lambda column: column or "no other condition",
        key="cells_and",
    )
    return _choice(*choice.cells, _values(dataset, more, "cells_and_values")) if more else choice


def _choice(*filters: Filter) -> CellChoice:
    return CellChoice(cells=tuple(one for one in filters if one.values))


def pick_goal(dataset: DatasetInfo) -> Filter | None:
    """Let the user name a state that the cells may move to."""
    column = st.selectbox(
        "Goal state",
        ["", *columns_of(dataset)],
        format_func=lambda name: name or "none",
        help="A state that the cells may move to, such as treated cells. The shift towards it is measured beside "
        "that of random genes.",
        key="goal_column",
    )
    if not column:
        return None
    value = st.selectbox("Cells of the goal", dataset.column(column).values, key="goal_value")
    return Filter(column=column, values=(value,))


def _values(dataset: DatasetInfo, column: str, key: str) -> Filter:
    values = dataset.column(column).values
    chosen = st.multiselect(
        f"Which {column}", values, default=list(values[:1]), key=f"{key}_{column}", placeholder="Any"
    )
    return Filter(column=column, values=tuple(chosen))
