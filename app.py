"""Home: the open dataset, what can be asked of it, what was found."""

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words
from pages.views.home.cells import about, cells_now
from pages.views.home.own_file import own_file
from pages.views.home.questions import ask_next
from pages.views.home.results import last_results
from scviz.tasks import opening

frame("home")

dataset = state.current_dataset()
if dataset is None:
    left, right = st.columns([4, 3], gap="large")
    with left:
        st.markdown("#### Nothing is open yet")
        st.write(
            "700 blood cells come with scviz, with finished results: a map, cell types, a knock-out. They need no file "
            "of yours and no network."
        )
        if st.button("Use the demo data", type="primary", key="open_demo"):
            with errors_in_words():
                state.keep(
                    "opening", state.queue().submit("opening", opening.demo_request(), state.owner()).run
                )
        run_id = state.kept("opening")
        if run_id is not None and job_panel(run_id).state == "done":
            state.remember("dataset", state.queue().result(run_id).dataset)
            state.keep("opening", None)
            st.rerun()
    with right:
        own_file()
    st.stop()

left, right = st.columns([7, 4], gap="large")
with left, errors_in_words():
    cells_now(dataset)
with right:
    about(dataset)
    with st.container(border=True):
        own_file()
ask_next(dataset)
with errors_in_words():
    last_results(dataset)
