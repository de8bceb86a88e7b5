"""The same cells under several models and plain principal components: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.missing import missing_genes
from pages.components.task_page import hand_in, shown_run
from pages.views.compare.form import compare_form
from pages.views.compare.result import compare_result

frame("compare")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then choose the models to compare here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

options = {info.id: info for info in readable(dataset)}
if not options:
    reason = "None of the checkpoints here knows a gene of this dataset."
    hand_in("compare", missing_genes(dataset, reason), run=None)
    st.stop()

run = shown_run("compare", dataset, None)
first = run is None
with st.expander("Compare models" if first else "Compare again", expanded=first, key=f"new_{first}"):
    compare_form(dataset, options, run)

if run is None:
    st.info(
        "Press Run: each model reads the same cells, and you see which keeps known types together best, "
        "and on which cells the models differ."
    )
    st.stop()

run = job_panel(run.id)
if run.state == "done":
    compare_result(run)
