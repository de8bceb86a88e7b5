"""The map of cells, for a model and for plain principal components: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.task_page import shown_run
from pages.views.explore.form import explore_form
from pages.views.explore.result import explore_result

frame("explore")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then press Draw the map here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

run = shown_run("embedding", dataset, checkpoint)
first = run is None
with st.expander("Draw a map" if first else "Draw another map", expanded=first, key=f"new_map_{first}"):
    explore_form(dataset, checkpoint, run)

if run is None:
    st.info(
        "Press Draw the map: the model reads each cell, and similar embeddings are placed close together."
    )
    st.stop()

run = job_panel(run.id)
if run.state == "done":
    explore_result(run)
