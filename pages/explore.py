"""The map of cells, for a model and for plain principal components: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.explore.result import explore_result
from scviz.models import cards
from scviz.tasks.embedding import Request

frame("explore")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then press Draw the map here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

run_id = state.current_run("embedding", dataset.id, checkpoint.id)
first = run_id is None
with st.expander("Draw a map" if first else "Draw another map", expanded=first, key=f"new_map_{first}"):
    read_depth, depths = "", cards()[checkpoint.model].read_depths
    if depths:
        read_depth = st.selectbox(
            "Read each cell as if it had",
            ["", *depths],
            format_func=lambda depth: depths.get(depth, "the depth that the model takes by itself"),
            help="The model is told how deeply a cell was sequenced and how deep it should look. With one depth "
            "for all, cells that differ in depth alone come to lie nearer.",
            key="read_depth",
            width=320,
        )
    row = st.columns([2, 2, 2, 3, 2], vertical_alignment="bottom")
    n_neighbors = row[0].number_input(
        "Neighbors", 2, 200, 15, help="More neighbors show the large shape.", key="n_neighbors"
    )
    min_dist = row[1].number_input(
        "Spacing", 0.0, 1.0, 0.3, 0.1, help="How far neighbors stand apart.", key="min_dist"
    )
    seed = row[2].number_input("Seed", 0, 9999, 0, key="seed")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            read_depth=read_depth,
            n_neighbors=int(n_neighbors),
            min_dist=float(min_dist),
            seed=int(seed),
        )
        with row[3]:
            enough = enough_genes(dataset, checkpoint)
            fits = price("embedding", request)
        with row[4]:
            run_button("embedding", request, ready=fits and enough, label="Draw the map")

if run_id is None:
    st.info(
        "Press Draw the map: the model reads each cell, and cells it takes for alike come to lie together."
    )
    st.stop()

run = job_panel(run_id)
if run.state == "done":
    explore_result(run)
