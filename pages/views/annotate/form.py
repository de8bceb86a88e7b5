"""Which cells teach which names, and how."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.widgets import Form
from scviz.models import cards
from scviz.tasks.annotation import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def annotate_form(dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None) -> Request | None:
    """Ask; None where no column can name types."""
    labels = dataset.columns_of("label", "category", "batch")
    if not labels or checkpoint is None:
        st.info(
            "No column of this dataset looks like cell types. Explore the map instead, or open a file with labels."
        )
        link = state.link()
        st.page_link(
            "pages/explore.py", label="Explore the map", icon=":material/scatter_plot:", query_params=link
        )
        return None
    form = Form(Request, "annotation", run)
    label_key = form.column("label_key", labels)
    mode = form.choice("mode")
    if mode == "published":
        st.caption(cards()[checkpoint.model].fine_tuning)
    groups = [name for name in dataset.columns_of("batch", "category") if name != label_key]
    group_key = form.column("group_key", groups)
    with st.expander("Advanced"):
        return Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            label_key=str(label_key),
            mode=mode,
            group_key=group_key,
            test_fraction=form.number("test_fraction"),
            epochs=form.number("epochs"),
            batch_size=form.number("batch_size"),
            learning_rate=form.number("learning_rate"),
            pooling=form.choice("pooling"),
            balanced=form.switch("balanced"),
            seed=form.number("seed"),
        )
