"""By what genes are compared, in which cells, and how the graph is clustered."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.cells_picker import CellChoice, cells_as_asked, columns_of, narrow, pick_cells
from pages.components.widgets import Form
from scviz.tasks.fields import suggested
from scviz.tasks.modules import SOURCES, Request, Source
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def modules_form(dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None) -> Request:
    """Ask; without weights there is plain co-expression alone."""
    form = Form(Request, "modules", run)
    if form.fresh:
        some = bool(form.asked("cells") or form.asked("group"))
        state.preset("some_cells", some)
        if some:
            cells_as_asked(form, dataset)
    sources: list[Source] = [*SOURCES] if checkpoint is not None else ["expression"]
    source: Source = form.choice("source", options=sources)
    with st.popover("Cells", width="stretch"):
        st.caption("All cells unless a column or a group is chosen.")
        some = st.checkbox("Only some cells", key="some_cells", persist_state="session")
        choice = narrow(dataset, pick_cells(dataset, all_first=False)) if some else CellChoice()
    resolution = form.number("resolution")
    fewest_genes = form.number("fewest_genes")
    types = suggested(Request, "label_key", dataset)
    label_key = form.column("label_key", columns_of(dataset), suggested=types)
    with st.popover("Advanced", width="stretch"):
        advanced = _advanced(form, source)
    return Request(
        dataset=dataset.id,
        checkpoint=checkpoint.id if checkpoint is not None and source != "expression" else "",
        source=source,
        cells=choice.cells,
        group=choice.group,
        group_version=choice.group_version,
        resolution=resolution,
        fewest_genes=fewest_genes,
        label_key=label_key,
        **advanced,
    )


def _advanced(form: Form, source: Source) -> dict[str, Any]:
    """Offer what most users leave alone."""
    asked: dict[str, Any] = {name: form.number(name) for name in ("most_genes", "most_cells")}
    asked["context_cells"] = form.number("context_cells", disabled=source != "context")
    asked["graph"] = form.choice("graph")
    asked["n_neighbors"] = form.number("n_neighbors", disabled=asked["graph"] == "threshold")
    asked["threshold"] = form.number("threshold", disabled=asked["graph"] != "threshold")
    asked["method"] = form.choice("method")
    asked |= {name: form.switch(name) for name in ("centered", "scaled")}
    return asked | {name: form.number(name) for name in ("n_random", "seed")}
