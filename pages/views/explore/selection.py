"""The cells that are selected on a map: how many, of which kinds, and groups with a name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.digits import TENTH
from pages.components.enrich_link import enrich_group
from pages.components.frame import PAGES
from pages.components.show import table
from scviz.datasets.columns import cell_column
from scviz.metrics.evidence import counted
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import forget_group, name_group, read_groups


def show_selection(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Count the selected cells, (n,) rows of the dataset, name them, and list the named groups."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        if not len(rows):
            st.caption("Draw around cells on a map to count them. Shift adds, Alt takes away, Escape clears.")
        else:
            st.write(f"**{counted(len(rows), 'cell')} selected**")
            _composition(dataset, rows)
    with right:
        _groups(dataset, rows)


def _composition(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Break a selection down by a label."""
    options = dataset.columns_of("label", "batch", "category")
    if not options:
        return
    by = st.selectbox("Composition by", options, key="composition_by")
    column = cell_column(state.workspace().dataset_folder(dataset.id), by)
    if column.categories is None:
        return
    size = len(column.categories) + 1
    inside = np.bincount(column.values[rows] + 1, minlength=size)
    everywhere = np.bincount(column.values + 1, minlength=size)
    frame = pd.DataFrame(
        {
            by: ["no label", *column.categories],
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


def _groups(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Name the selection, and list what was named."""
    folder = state.workspace().dataset_folder(dataset.id)
    if len(rows):
        with st.form("name_group", border=False):
            line = st.columns([3, 2], vertical_alignment="bottom")
            name = (
                line[0]
                .text_input("Name these cells", placeholder="Activated T cells", key="group_name")
                .strip()
            )
            if line[1].form_submit_button("Name it", key="name_it", width="stretch") and name:
                name_group(folder, name, rows)
                st.rerun()
    groups = read_groups(folder)
    if groups:
        st.caption("Named groups")
    for i, (name, members) in enumerate(groups.items()):
        line = st.columns([5, 2, 2, 2], vertical_alignment="center")
        line[0].text(f"{name}: {counted(len(members), 'cell')}")
        with line[1]:
            enrich_group(name)
        line[2].page_link(
            PAGES["qc"].file,
            label="Subset",
            icon=":material/content_cut:",
            query_params={**state.link(), "subset": name},
        )
        if line[3].button("Forget", key=f"forget_{i}", type="tertiary"):
            forget_group(folder, name)
            st.rerun()
