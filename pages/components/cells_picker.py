"""Which cells: all, a named group, or values of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.text import escaped
from pages.components.widgets import Form, pick
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


def cells_as_asked(form: Form, dataset: DatasetInfo) -> None:
    """Set the choice of cells to the question of the run whose result is shown, as far as they fit."""
    columns, asked = columns_of(dataset), form.asked("cells", ())
    first = asked[0]["column"] if asked else GROUP if form.asked("group") else ALL
    for widget, value in (
        ("cells_from", first),
        ("cells_group", form.asked("group")),
        ("cells_and", asked[1]["column"] if len(asked) > 1 else ""),
    ):
        state.preset(widget, value)
    for one, key in zip(asked, ("cells_values", "cells_and_values"), strict=False):
        if one["column"] in columns:
            state.preset(f"{key}_{one['column']}", list(one["values"]))


def goal_as_asked(form: Form) -> None:
    """Set the goal to that of the run whose result is shown."""
    goal = form.asked("goal")
    state.preset("goal_column", goal["column"] if goal else "")
    state.preset("goal_value", " or ".join(goal["values"]) if goal else "")


def pick_cells(dataset: DatasetInfo, *, all_first: bool = True) -> CellChoice:
    """Let the user choose cells; all of them at first, or the fullest value of the first column."""
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    some = [*columns_of(dataset), *([GROUP] if groups else [])]
    choice = pick(
        "Cells from",
        [ALL, *some] if all_first else [*some, ALL],
        help="A column of the file, or a group that you circled and named on the Explore page.",
        key="cells_from",
    )
    if choice == ALL:
        return CellChoice()
    if choice == GROUP:
        name = pick("Group", list(groups), key="cells_group")
        return CellChoice(group=name, group_version=group_version(groups[name]))
    return _choice(_values(dataset, choice, "cells_values"))


def narrow(dataset: DatasetInfo, choice: CellChoice) -> CellChoice:
    """Let the user keep only those of the cells that have some values in a second column."""
    taken = {one.column for one in choice.cells}
    options = [column for column in columns_of(dataset) if column not in taken]
    more = pick(
        "Only cells with",
        ["", *([] if choice.group else options)],
        words=lambda name: name or "no other condition",
        key="cells_and",
    )
    return _choice(*choice.cells, _values(dataset, more, "cells_and_values")) if more else choice


def _choice(*filters: Filter) -> CellChoice:
    return CellChoice(cells=tuple(one for one in filters if one.values))


def pick_goal(dataset: DatasetInfo, form: Form) -> Filter | None:
    """Let the user name a state that the cells may move to; None without one."""
    column = pick(
        "Goal state",
        ["", *columns_of(dataset)],
        words=lambda name: name or "none",
        help="A state that the cells may move to, such as treated cells. The shift towards it is measured beside "
        "that of random genes.",
        key="goal_column",
    )
    if not column:
        return None
    values = {value: (value,) for value in dataset.column(column).values}
    asked = form.asked("goal")
    if asked and asked["column"] == column:
        values[" or ".join(asked["values"])] = tuple(asked["values"])  # the command takes several
    return Filter(column=column, values=values[pick("Cells of the goal", list(values), key="goal_value")])


def _values(dataset: DatasetInfo, column: str, key: str) -> Filter:
    values = _several_of(f"Which {escaped(column)}", dataset.column(column).values, key=f"{key}_{column}")
    return Filter(column=column, values=values)


def _several_of(label: str, options: Sequence[str], *, key: str) -> tuple[str, ...]:
    """Draw a choice of several, the first option to begin with; those that are gone are dropped."""
    held = state.held(key)
    if held is None or not set(held) <= set(options):
        state.preset(key, [one for one in held or () if one in options] or list(options[:1]))
    return tuple(st.multiselect(label, options, key=key, placeholder="Any", persist_state="session"))
