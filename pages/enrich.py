"""What genes have in common: choose, hand in, watch, show."""

from functools import partial

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words
from pages.components.task_page import asked_or_missing, hand_in, shown_run
from pages.views.enrich.form import enrich_form
from pages.views.enrich.result import enrich_result

frame("enrich")

dataset = state.current_dataset()
if dataset is None:
    st.info("Open a dataset on the Data page first; then ask here what some of its genes have in common.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

linked = any(map(state.from_link, ("from_run", "group", "genes"))) and not state.from_link("run")
run = None if linked else shown_run("enrichment", dataset, None)
ask = partial(enrich_form, dataset, run)
left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    request = asked_or_missing(ask)
    hand_in("enrichment", request, run=run, estimated=False)

with right:
    if run is None:
        st.info(
            "Press Run: an over-representation test of every gene set. Expression-matched random genes are tested "
            "beside, and shuffled groups where genes come from groups of cells, so that you see what is more than "
            "strong expression and genes that go together anyway."
        )
        st.stop()
    run = job_panel(run.id)
    if run.state == "done":
        enrich_result(run)
