"""Whether names are learned from the labels of the dataset, come from a reference, or are those of the file."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from scviz.workspace import DatasetInfo

WAYS = {"labels": "Learn from labels", "reference": "Names from a reference", "file": "Names in this file"}


def way() -> str:
    """Tell which is chosen; cells without labels, and a link to such a run, begin with the reference."""
    dataset = state.current_dataset()
    if dataset is None:
        return "labels"
    key = f"annotate_way_{dataset.id}"
    if state.held(key) not in WAYS:
        state.preset(key, _first(dataset))
    return str(state.held(key))


def choose_way() -> None:
    """Let the user switch."""
    dataset = state.current_dataset()
    if dataset is not None:
        st.radio(
            "Where names come from",
            list(WAYS),
            format_func=WAYS.__getitem__,
            key=f"annotate_way_{dataset.id}",
        )


def _first(dataset: DatasetInfo) -> str:
    linked = st.query_params.get("run")
    tasks = {run.id: run.task for run in state.queue().runs(owner=state.owner())} if linked else {}
    if linked and linked in tasks:
        return "reference" if tasks[linked] == "transfer" else "labels"
    checkpoint = state.current_checkpoint()
    knows = bool(checkpoint and checkpoint.types)
    return "labels" if knows or dataset.columns_of("label") else "reference"
