"""The same cells under several models and plain principal components: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.runs import checkpoint_name
from pages.components.show import errors_in_words
from pages.views.compare.result import compare_result
from scviz.tasks.compare import MOST_CHECKPOINTS, MOST_TYPES, Request

frame("compare")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then choose the models to compare here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

options = {info.id: info for info in readable(dataset)}
if not options:
    st.info("None of the weights here knows a gene of this dataset. Choose others on the Models page.")
    st.page_link(
        "pages/models.py", label="Choose a model", icon=":material/neurology:", query_params=state.link()
    )
    st.stop()

groups = {
    kind: [c for c in dataset.columns_of(kind) if dataset.column(c).n_values <= MOST_TYPES]
    for kind in ("label", "batch", "category")
}
run_id = state.current_run("compare", dataset.id)
first = run_id is None
with st.expander("Compare models" if first else "Compare again", expanded=first, key=f"new_{first}"):
    demos = [name for name, info in options.items() if info.demo]
    row = st.columns([6, 3, 3])
    weights = row[0].multiselect(
        "Models and weights",
        list(options),
        default=(demos or list(options))[:MOST_CHECKPOINTS],
        format_func=checkpoint_name,
        max_selections=MOST_CHECKPOINTS,
        help="Up to four; principal components of the same cells always come beside them as the baseline.",
        key="weights",
    )
    label_key = row[1].selectbox(
        "Column with known cell types",
        [*groups["label"], *groups["category"], *groups["batch"], ""],
        format_func=lambda column: column or "none",
        help="Scores say how well each method keeps these types together.",
        key="label_key",
    )
    others = [c for kind in ("batch", "category", "label") for c in groups[kind] if c != label_key]
    batch_key = row[2].selectbox(
        "Column with batches or donors",
        ["", *others],
        format_func=lambda column: column or "none",
        index=1 if others and others[0] in groups["batch"] else 0,
        help="Scores say how well each method mixes these batches.",
        key="batch_key",
    )
    row = st.columns([2, 2, 2, 3, 2], vertical_alignment="bottom")
    n_neighbors = row[0].number_input(
        "Neighbors", 2, 200, 15, help="Of each cell, in maps and scores.", key="n_neighbors"
    )
    min_dist = row[1].number_input(
        "Spacing", 0.0, 1.0, 0.3, 0.1, help="How far neighbors stand apart on the maps.", key="min_dist"
    )
    seed = row[2].number_input("Seed", 0, 9999, 0, key="seed")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoints=tuple(weights),
            label_key=label_key or None,
            batch_key=batch_key or None,
            n_neighbors=int(n_neighbors),
            min_dist=float(min_dist),
            seed=int(seed),
        )
        with row[3]:
            fits = price("compare", request)
        with row[4]:
            run_button("compare", request, ready=fits)

if run_id is None:
    st.info(
        "Press Run: each model reads the same cells, and you see which keeps known types together best, "
        "and on which cells the models differ."
    )
    st.stop()

run = job_panel(run_id)
if run.state == "done":
    compare_result(run)
