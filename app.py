"""Home: what can be asked here, and where to start."""

import streamlit as st

from pages.components import state
from pages.components.frame import PAGES, RESULT_PAGE, frame
from pages.components.job_panel import WORDS, job_panel
from pages.components.runs import describe
from pages.components.show import errors_in_words
from scviz.tasks import opening

frame("home")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()

if dataset is None:
    st.write(
        "Nothing is open yet. Start with 700 blood cells that come with scviz, or open a file of your own."
    )
    row = st.container(horizontal=True)
    if row.button("Use the demo data", type="primary", key="open_demo"):
        with errors_in_words():
            state.keep("opening", state.queue().submit("opening", opening.demo_request(), state.owner()).run)
    row.page_link("pages/data.py", label="Open my own file", icon=":material/folder_open:")
    run_id = state.kept("opening")
    if run_id is not None and job_panel(run_id).state == "done":
        state.remember("dataset", state.queue().result(run_id).dataset)
        state.keep("opening", None)
        st.rerun()
    st.stop()

STEPS = (
    ("explore", "See the map", "Where do my cells lie, and do the groups make sense?"),
    (
        "annotate",
        "Annotate cell types",
        "Learn the types from labeled cells and check them on cells held out.",
    ),
    ("data", "Look into the file", "Counts, gene names, labels: what is in it, what a model can read."),
    ("models", "Choose a model", "What each model reads, its weights, license and size."),
)
for column, (name, title, text) in zip(st.columns(4), STEPS, strict=True):
    with column.container(border=True, height=128):
        st.page_link(PAGES[name].file, label=f"**{title}**", icon=PAGES[name].icon, query_params=state.link())
        st.caption(text)

left, right = st.columns([3, 4], gap="large")
with left:
    st.subheader("Open now", anchor=False)
    st.write(f"**{dataset.name}**: {dataset.n_cells:,} cells, {dataset.n_genes:,} genes.")
    st.caption(f"Counts are {dataset.counts.how} ({dataset.counts.location}). {dataset.counts.evidence}")
    if checkpoint is not None:
        st.write(f"**{checkpoint.name}**")
        st.caption(checkpoint.description)
with right:
    st.subheader("Last runs", anchor=False)
    runs = [run for run in state.queue().runs(owner=state.owner()) if run.task in RESULT_PAGE][:5]
    if not runs:
        st.caption("None yet. Press “Annotate cell types” above, then Run.")
    for run in runs:
        page = RESULT_PAGE[run.task]
        label = f"{describe(run)} · {WORDS[run.state].lower()}"
        st.page_link(
            PAGES[page].file, label=label, icon=PAGES[page].icon, query_params={**state.link(), "run": run.id}
        )
