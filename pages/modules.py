"""Which genes work together: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.modules.form import pick_modules
from pages.views.modules.result import modules_result

frame("modules")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None:
    st.info("Open a dataset on the Data page first; then find out here which of its genes work together.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    request = pick_modules(dataset, checkpoint)
    enough = checkpoint is None or not request.checkpoint or enough_genes(dataset, checkpoint)
    fits = price("modules", request)
    run_button("modules", request, ready=fits and enough)

with right:
    run_id = state.current_run("modules", dataset.id)
    if run_id is None:
        st.info(
            "Press Run: genes that are alike are linked and cut into modules, and each module is scored in every cell. "
            "Cells that were not used to find the modules judge them, beside plain co-expression, random genes and, "
            "for a model, the same model with random weights."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        modules_result(run)
