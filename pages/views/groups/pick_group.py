"""A group of cells: a value of a column, a named group, a cluster, or an expression, with its number of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.cells_picker import GROUP, columns_of
from pages.components.runs import clock
from pages.components.show import errors_in_words, escaped
from pages.components.widgets import pick
from scviz.metrics.evidence import counted
from scviz.tasks import front
from scviz.tasks.cell_groups import CLUSTERS, CellGroup, cluster_name, has_clusters, members
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.groups import group_version, read_groups
from scviz.workspace.records import read_array

REST, EXPRESSION = "all other cells", "an expression"
OF_RUN = "run:"
"""Begins the source of a group that is a cluster, before the id of its run."""
HELP = (
    "Genes stand for their log expression, columns for their values: CD3E > 1 and (CD8A > 0 or cell_type == "
    '"T cell"). Signs: > >= < <= == != and, or, not. Quotes around names that hold a blank.'
)


def sources_of(dataset: DatasetInfo) -> dict[str, str]:
    """List where a group may come from, with what each is called: columns, named groups, clusters, an expression."""
    named = [GROUP] if read_groups(state.workspace().dataset_folder(dataset.id)) else []
    clustered = {
        f"{OF_RUN}{run.id}": f"clusters · {front(run.task).TITLE}, {clock(run.ended)}"
        for run in clustered_runs(dataset)
    }
    plain = [*columns_of(dataset), *named]
    return {name: name for name in plain} | clustered | {EXPRESSION: EXPRESSION}


def clustered_runs(dataset: DatasetInfo) -> list[Run]:
    """List the finished runs that have clusters of these cells, the newest first."""
    return [
        run
        for run in state.queue().runs(states=("done",), owner=state.owner())
        if run.request.get("dataset") == dataset.id and has_clusters(run.task)
    ]


def pick_group(
    dataset: DatasetInfo, side: str, sources: Mapping[str, str], *, label: str
) -> tuple[str, CellGroup | None]:
    """Let the user choose a group.

    Parameters
    ----------
    side
        Ends the keys of the widgets.
    sources
        Where it may come from, with what that is called.

    Returns
    -------
    Where it comes from, and the group; None for all other cells, or while it is not said which.
    """
    source = pick(label, list(sources), words=sources.__getitem__, key=f"group_from_{side}")
    group = None
    with errors_in_words():
        group = _group(dataset, side, source)
        if group is not None:
            st.caption(counted(_size(dataset.id, tuple(asdict(group).items())), "cell"))
            return source, group
    return source, None


def _group(dataset: DatasetInfo, side: str, source: str) -> CellGroup | None:
    if source == REST:
        return None
    if source == EXPRESSION:
        text = st.text_input(
            "Expression",
            placeholder='CD3E > 1 and cell_type == "T cell"',
            help=HELP,
            key=f"group_text_{side}",
            persist_state="session",
        ).strip()
        if not text:
            st.caption("Type which cells, such as CD3E > 1, and press Enter.")
        return CellGroup(expression=text) if text else None
    if source == GROUP:
        groups = read_groups(state.workspace().dataset_folder(dataset.id))
        name = pick("Group", list(groups), key=f"group_named_{side}")
        return CellGroup(named=name, version=group_version(groups[name]))
    if source.startswith(OF_RUN):
        run = source.removeprefix(OF_RUN)
        numbers = [str(i + 1) for i in range(_n_clusters(run))]
        chosen = pick(
            "Cluster", numbers, words=lambda number: cluster_name(int(number)), key=f"group_{source}_{side}"
        )
        return CellGroup(run=run, cluster=int(chosen))
    return CellGroup(
        column=source,
        value=pick(f"Which {escaped(source)}", dataset.column(source).values, key=f"group_{source}_{side}"),
    )


def group_as(side: str, group: Mapping[str, Any] | None) -> None:
    """Set the widgets of a side to a group, given by its fields; None for all other cells."""
    if group is None:
        state.preset(f"group_from_{side}", REST)
        return
    kinds = {"column": group.get("column"), "named": group.get("named"), "run": group.get("run")}
    kind = next((name for name, value in kinds.items() if value), "expression")
    source, widget, value = {
        "column": (group.get("column"), f"group_{group.get('column')}_{side}", group.get("value")),
        "named": (GROUP, f"group_named_{side}", group.get("named")),
        "run": (
            f"{OF_RUN}{group.get('run')}",
            f"group_{OF_RUN}{group.get('run')}_{side}",
            str(group.get("cluster")),
        ),
        "expression": (EXPRESSION, f"group_text_{side}", group.get("expression")),
    }[kind]
    state.preset(f"group_from_{side}", source)
    state.preset(widget, value)


@st.cache_data(max_entries=256)
def _size(dataset: str, group: tuple[tuple[str, Any], ...]) -> int:
    return int(members(CellGroup(**dict(group)), dataset, state.workspace()).truth.yes.sum())


@st.cache_data(max_entries=32)
def _n_clusters(run: str) -> int:
    found = read_array(state.workspace().run_folder(run) / "result", CLUSTERS)
    return int(np.max(found, initial=-1)) + 1
