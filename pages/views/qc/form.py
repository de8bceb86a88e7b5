"""What is measured, and by which groups losses are counted."""

from __future__ import annotations

import streamlit as st

from pages.components.widgets import Form
from scviz.tasks.fields import suggested
from scviz.tasks.qc import Request
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run


def qc_form(dataset: DatasetInfo, run: Run | None) -> Request:
    """Ask."""
    form = Form(Request, "qc", run)
    columns = dataset.columns_of("label", "category", "batch")
    label_key = form.column("label_key", columns, suggested=suggested(Request, "label_key", dataset))
    found = suggested(Request, "batch_key", dataset)
    batch_key = form.column("batch_key", columns, suggested="" if found == label_key else found)
    doublets = form.switch("doublets")
    with st.popover("Advanced", width="stretch"):
        numbers = {name: form.number(name) for name in ("expected_doublets", "n_mads", "seed")}
    return Request(dataset=dataset.id, label_key=label_key, batch_key=batch_key, doublets=doublets, **numbers)
