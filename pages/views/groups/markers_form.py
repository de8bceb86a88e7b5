"""Of which groups markers are found: those of a column, or the clusters of a run."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of
from pages.components.missing import EXPLORE, Missing
from pages.components.widgets import Form, pick
from pages.views.groups.pick_group import OF_RUN, clustered_runs, sources_of
from scviz.tasks.fields import suggested
from scviz.tasks.markers import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

KEY = "markers_of"


def markers_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | Missing:
    """Ask; what is missing where the dataset has no groups."""
    form = Form(Request, "markers", run)
    if form.fresh:
        state.preset(KEY, form.asked("column") or f"{OF_RUN}{form.asked('run')}")
    names = sources_of(dataset)
    options = [*columns_of(dataset), *(f"{OF_RUN}{one.id}" for one in clustered_runs(dataset))]
    if not options:
        return Missing(
            reason="This dataset has no column with groups of cells: its first map clusters them.",
            page=EXPLORE,
            label="Draw the first map",
        )
    linked = state.asked("markers_of")
    if f"{OF_RUN}{linked}" in options:
        state.preset(KEY, f"{OF_RUN}{linked}")
    elif linked:
        state.left_out("The clusters that the link asks for are not here any more. Choose other groups.")
    first = suggested(Request, "column", dataset)
    source = pick(
        "Groups",
        options,
        first=first,
        words=names.__getitem__,
        help="Each group is compared with all other cells.",
        key=KEY,
    )
    method = form.choice("method")
    with st.popover("Advanced", width="stretch"):
        numbers = {name: form.number(name) for name in ("fewest_cells", "n_top", "seed")}
    of_run = source.removeprefix(OF_RUN) if source.startswith(OF_RUN) else ""
    return Request(dataset=dataset.id, column="" if of_run else source, run=of_run, method=method, **numbers)
