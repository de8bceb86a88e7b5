"""The maps of a dataset: the first one is there by itself, those of models are asked for."""

import streamlit as st

from pages.components import state
from pages.components.embeddings import embeddings_of
from pages.components.first_map import watch_first_map
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.published_panel import published_panel, reads_few
from pages.components.task_page import shown_run
from pages.views.explore.choice import choose_maps
from pages.views.explore.form import first_map_form, model_form
from pages.views.explore.maps import explore_maps
from pages.views.explore.result import how_made

frame("explore")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None:
    st.info("Open a dataset on the Data page first; its map is then drawn here by itself.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

run = shown_run("embedding", dataset, checkpoint) if checkpoint else None
left, right = st.columns([4, 5], vertical_alignment="top")
with left.expander("A model's map", icon=":material/neurology:", key="model_map"):
    asked = model_form(dataset, checkpoint, run)
poor = reads_few(dataset, checkpoint)
if poor:  # else the maps come first
    published_panel("embedding", asked, dataset=dataset, checkpoint=checkpoint)
if run is not None:
    run = job_panel(run.id)
watch_first_map(dataset)

offered = embeddings_of(dataset)
if not offered:
    st.caption("Each point will be a cell; cells of similar expression lie close together.")
    st.stop()

with right:
    chosen = choose_maps(offered, run)
explore_maps(dataset, chosen)
if not poor:
    published_panel("embedding", asked, dataset=dataset, checkpoint=checkpoint)
how_made(chosen)
first_map_form(dataset)
