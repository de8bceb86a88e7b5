"""The cells that are selected on a map: how many, of which kinds, and groups with a name."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.digits import TENTH
from pages.components.selecting import NONE, link_selection, select_no_more, select_on_map
from pages.components.show import table
from pages.components.undo import REDO, UNDO, undo_buttons, undo_keys, watch
from pages.views.explore.groups import (
    drawn_groups,
    earlier_and_later,
    genes_of_selection,
    name_form,
    named_groups,
)
from scviz.datasets.columns import cell_column
from scviz.metrics.evidence import counted
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import read_groups
from scviz.workspace.packed_rows import pack_rows

GROUPS = "My named groups"


def show_selection(
    dataset: DatasetInfo, rows: NDArray[np.int64], passes: NDArray[np.bool_] | None = None
) -> None:
    """Count the selected cells, (n,) rows of the dataset, name them, and list the named groups.

    What is selected is noted, so that it can be taken back and linked to; `pages.components.selecting.given_on` then
    gives it to the maps. Of a filter, (N,) cells that pass, the others are selected still but neither counted nor
    named.
    """
    packed = pack_rows(rows, level=1)
    changed = watch(
        dataset.id,
        "selection",
        packed,
        what=f"Selected {counted(len(rows), 'cell')}" if len(rows) else "Cleared the selection",
        go=partial(select_on_map, dataset.id),
        empty=NONE,
    )
    if changed:
        select_no_more(dataset.id)
    link_selection(dataset, packed)
    rows = rows if passes is None else rows[passes[rows]]
    history = drawn_groups(dataset)
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if len(rows):
                share = 100 * len(rows) / dataset.n_cells
                st.write(f"**{counted(len(rows), 'cell')} selected** ({share:.1f} % of {dataset.n_cells:,})")
            else:
                st.caption(
                    "Draw around cells on a map to count them. Shift adds, Alt takes away, Escape clears."
                )
            earlier, later = earlier_and_later(dataset, history)
            undo_buttons(dataset.id, earlier=earlier, later=later)
        if len(rows):
            genes_of_selection(dataset, rows)
            _composition(dataset, rows)
    with right:
        name_form(dataset, rows)
        named_groups(dataset, rows, history)
    undo_keys(UNDO, REDO)


def _composition(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Break a selection, (n,) rows, down by a label or by the named groups."""
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    options = [*dataset.columns_of("label", "batch", "category"), *([GROUPS] if groups else [])]
    if not options:
        return
    by = st.selectbox("Composition by", options, key="composition_by")
    counts = _in_groups(dataset, rows) if by == GROUPS else _in_column(dataset, by, rows)
    if counts is None:
        return
    names, inside, everywhere = counts
    frame = pd.DataFrame(
        {
            by: names,
            "Cells selected": inside,
            "% of selection": 100 * inside / max(1, len(rows)),
            "% of this group": 100 * inside / np.maximum(1, everywhere),
        }
    )
    frame = frame[frame["Cells selected"] > 0].sort_values("Cells selected", ascending=False)
    table(
        frame,
        key="composition",
        name="selection",
        column_config={"% of selection": TENTH, "% of this group": TENTH},
    )


Counts = tuple[list[str], NDArray[np.int64], NDArray[np.int64]]
"""Names, (K,) cells of each that are selected, and (K,) cells of each."""


def _in_column(dataset: DatasetInfo, by: str, rows: NDArray[np.int64]) -> Counts | None:
    column = cell_column(state.workspace().dataset_folder(dataset.id), by)
    if column.categories is None:
        return None
    size = len(column.categories) + 1
    inside = np.bincount(column.values[rows] + 1, minlength=size)
    everywhere = np.bincount(column.values + 1, minlength=size)
    return ["no label", *column.categories], inside, everywhere


def _in_groups(dataset: DatasetInfo, rows: NDArray[np.int64]) -> Counts:
    """Count the selected cells of each named group; a cell may be in several."""
    chosen = np.zeros(dataset.n_cells, dtype=bool)
    chosen[rows] = True
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    free = np.ones(dataset.n_cells, dtype=bool)
    inside, sizes = [], []
    for cells in groups.values():
        inside.append(int(chosen[cells].sum()))
        sizes.append(len(cells))
        free[cells] = False
    inside, sizes = [int((free & chosen).sum()), *inside], [int(free.sum()), *sizes]
    return ["in no group", *groups], np.array(inside), np.array(sizes)
