"""Data: choose a file, read its card, open it."""

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.pick_file import pick_file
from pages.components.show import errors_in_words, escaped
from pages.components.trash import trash_panel
from pages.views.data.card import file_card
from pages.views.data.dataset import dataset_card
from pages.views.data.newest import is_news, opening_ended
from pages.views.data.screens import gene_terms, public_screens, simulated_screen
from pages.views.data.space import space
from scviz.tasks import opening
from scviz.workspace.damaged import damaged_records

frame("data")

left, right = st.columns([4, 7], gap="large")
with left:
    for sentence in damaged_records(state.workspace()):
        st.warning(escaped(sentence))
    path = pick_file()
    if st.button("Use the demo data", key="open_demo", icon=":material/science:", width="stretch"):
        with errors_in_words():
            state.keep("opening", state.queue().submit("opening", opening.demo_request(), state.owner()).run)
            st.rerun()
    simulated_screen()
    public_screens()
    gene_terms()
    space()
    trash_panel()

with right:
    run_id = state.kept("opening")
    if run_id is not None and opening_ended(path, job_panel(run_id)):
        state.keep("opening", None)
        st.rerun()
    dataset = state.current_dataset()
    if path is not None and is_news(path, dataset.id if dataset else ""):
        with errors_in_words():
            file_card(path)
    elif dataset is not None:
        dataset_card(dataset)
    elif run_id is None:
        st.info("Choose a file on the left, or press Use the demo data: 700 blood cells with known types.")
