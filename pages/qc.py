"""How good the cells are: choose, hand in, watch, move thresholds, apply, undo."""

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words
from pages.components.steps import past_steps, step_under_way
from pages.components.task_page import hand_in, shown_run
from pages.views.qc.form import qc_form
from pages.views.qc.result import qc_result
from pages.views.qc.subset import subset_form
from scviz.tasks.qc import CHANGES_NOTHING

frame("qc")

dataset = state.current_dataset()
if dataset is None:
    st.info("Open a dataset on the Data page first; then look here how good its cells are.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

run = shown_run("qc", dataset, None)
left, right = st.columns([3, 11], gap="medium")
with left, errors_in_words():
    request = qc_form(dataset, run)
    hand_in("qc", request, run=run, estimated=False, changes_nothing=CHANGES_NOTHING)
    subset_form(dataset)

with right, errors_in_words():
    if step_under_way(dataset):
        st.stop()
    past_steps(dataset)
    if run is None:
        st.info(
            "Press Run: counts, genes, mitochondrial and ribosomal share of each cell, and doublets. Then move the "
            "thresholds and see at once which cell types lose cells; nothing is changed until you press Apply, and "
            "Undo takes it back."
        )
        st.stop()
    run = job_panel(run.id)
    if run.state == "done":
        qc_result(run, request)
