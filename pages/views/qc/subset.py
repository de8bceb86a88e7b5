"""Some of the cells as a dataset of their own: those of a column's values, or of a group circled on a map."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.cells_picker import ALL, GROUP, CellChoice, pick_cells
from pages.components.steps import apply_step
from scviz.tasks.chosen_cells import chosen_rows
from scviz.tasks.filtering import Request
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import read_groups


def subset_form(dataset: DatasetInfo) -> None:
    """Ask for cells and a name, and hand the step in. A link to the page names a group at first."""
    linked = state.asked("subset")
    if linked in read_groups(state.workspace().dataset_folder(dataset.id)):
        state.preset("cells_from", GROUP)
        state.preset("cells_group", linked)
    elif linked:
        state.left_out(f"The group that the link asks for is not here any more: {linked[:80]}.")
    chosen = state.held("cells_from") not in (None, ALL)
    with st.expander("Subset", icon=":material/content_cut:", expanded=chosen, key="subset"):
        choice = pick_cells(dataset)
        if not (choice.cells or choice.group):
            st.caption("Choose cells of a column, or a group that you circled and named on the Explore page.")
            return
        own = _name(dataset, choice)
        name = st.text_input("Name of the new dataset", own, key=f"subset_{dataset.id}_{own}")
        request = Request(
            dataset=dataset.id,
            name=name,
            cells=choice.cells,
            group=choice.group,
            group_version=choice.group_version,
            min_cells=0,
        )
        folder = state.workspace().dataset_folder(dataset.id)
        n_cells = len(chosen_rows(folder, request, dataset.n_cells))
        st.caption(f"{n_cells:,} of {dataset.n_cells:,} cells.")
        if st.button("Make a dataset of them", key="make_subset", width="stretch"):
            apply_step("filtering", request)


def _name(dataset: DatasetInfo, choice: CellChoice) -> str:
    values = [value for one in choice.cells for value in one.values]
    return f"{dataset.name}, {choice.group or ' + '.join(values)}"
