"""Cell types: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.annotate.result import annotation_result
from scviz.models import cards
from scviz.tasks.annotation import Request

MODES = {
    "head": "A head, on the model as it is",
    "lora": "Adapters and a head",
    "full": "All of the model",
    "published": "What its authors train",
}
POOLING = {"mean": "Mean over genes", "published": "As its authors do"}

frame("annotate")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then choose the column with known cell types here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

labels = dataset.columns_of("label", "category", "batch")
groups = dataset.columns_of("batch", "category")
if not labels:
    st.info(
        "No column of this dataset looks like cell types. Explore the map instead, or open a file with labels."
    )
    st.page_link(
        "pages/explore.py", label="Explore the map", icon=":material/scatter_plot:", query_params=state.link()
    )
    st.stop()

left, right = st.columns([3, 10], gap="large")
with left:
    label_key = st.selectbox("Column with known cell types", labels, key="label_key")
    mode = st.selectbox(
        "Train",
        list(MODES),
        format_func=MODES.__getitem__,
        help="A head on the frozen model takes a minute. Adapters (LoRA) add a little to each layer and leave the "
        "model's own weights alone; training all of it takes longest. Some authors train a few layers only.",
        key="mode",
    )
    if mode == "published":
        st.caption(cards()[checkpoint.model].fine_tuning)
    by_group = [column for column in groups if column != label_key]
    holdout = st.selectbox(
        "Hold out",
        ["", *by_group],
        format_func=lambda column: f"whole groups of {column}" if column else "cells, of every type",
        help="Cells held out are never trained on; all numbers are measured on them. "
        "Holding out whole donors or batches tells how well the model does on the next donor.",
        key="holdout",
    )
    with st.expander("Advanced"):
        test_fraction = st.slider("Cells held out", 5, 50, 20, 5, format="%d %%", key="test_fraction") / 100
        epochs = st.number_input(
            "Most passes over the cells", 0, 500, 0, help="0 lets scviz choose.", key="epochs"
        )
        batch_size = st.number_input("Cells per update", 1, 512, 32, key="batch_size")
        pooling = st.selectbox(
            "The head reads", list(POOLING), format_func=POOLING.__getitem__, key="pooling"
        )
        balanced = st.checkbox(
            "Every type counts the same",
            help="Rare types weigh as much as common ones in training. The authors of scBERT compute such weights "
            "and never use them.",
            key="balanced",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            label_key=label_key,
            mode=mode,
            pooling=pooling,
            balanced=balanced,
            group_key=holdout or None,
            test_fraction=test_fraction,
            epochs=int(epochs),
            batch_size=int(batch_size),
            seed=int(seed),
        )
        enough = enough_genes(dataset, checkpoint)
        fits = price("annotation", request)
        run_button("annotation", request, ready=fits and enough)

with right:
    run_id = state.current_run("annotation", dataset.id, checkpoint.id)
    if run_id is None:
        st.info("Press Run: the model learns the types from 80 % of the labelled cells and names the rest.")
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        annotation_result(run)
