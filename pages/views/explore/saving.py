"""Named groups taken away: as a table, in a copy of the user's file, as labels of a dataset."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.export import groups_file
from pages.components.show import download
from pages.components.steps import apply_step, step_under_way
from scviz.datasets.columns import cell_names
from scviz.datasets.named_cells import groups_csv
from scviz.tasks import mending
from scviz.tasks.cell_groups import CellGroup
from scviz.workspace import DatasetInfo
from scviz.workspace.group_history import Group
from scviz.workspace.groups import read_groups

COLUMN = "named_groups"


def save_groups(dataset: DatasetInfo, groups: Mapping[str, Group]) -> None:
    """Offer groups for use elsewhere."""
    folder = state.workspace().dataset_folder(dataset.id)
    which = "this group" if len(groups) == 1 else f"these {len(groups)} groups"
    with st.expander(f"Save {which}", icon=":material/save:", key="save_groups"):

        def written() -> str:
            cells = read_groups(folder)
            return groups_csv({name: cells[name] for name in groups}, cell_names(folder))

        with st.container(horizontal=True, vertical_alignment="center"):
            download(
                "Cells by group (CSV)",
                written,
                name="cells-by-group.csv",
                key="groups_csv",
                help="Name of the cell and name of the group, a row for each cell of each group.",
            )
            if st.button(
                "Use as labels",
                key="groups_as_labels",
                icon=":material/label:",
                help="Makes a dataset in which these groups are a column, to be chosen wherever labels are asked for. "
                "A cell must be in one of them at most. Undo on the Data page goes back to this dataset.",
            ):
                asked = tuple(CellGroup(named=name, version=group.version) for name, group in groups.items())
                request = mending.Request(
                    dataset=dataset.id, what="groups", column=_free(dataset), groups=asked
                )
                apply_step("mending", request)
        groups_file(dataset, groups)
        st.caption(
            "The copy has one more column, `scviz_groups`: a cell in several groups has all their names, with | "
            "between. Everything else is as in your file."
        )
        step_under_way(dataset)


def _free(dataset: DatasetInfo) -> str:
    """Return a name for the column that the dataset does not use."""
    taken, name, number = {column.name for column in dataset.columns}, COLUMN, 2
    while name in taken:
        name, number = f"{COLUMN}_{number}", number + 1
    return name
