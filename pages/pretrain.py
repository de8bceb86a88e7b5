"""Pre-training, of a new model or further: choose, hand in, watch, show."""

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes, readable
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.runs import checkpoint_name
from pages.components.show import errors_in_words
from pages.views.pretrain.result import pretraining_result
from scviz.models import cards, configurations
from scviz.tasks.pretraining import Request

STARTS = {"new": "New model", "weights": "Weights here"}
RATES = {"new": 1e-3, "weights": 1e-4}

frame("pretrain")

dataset = state.current_dataset()
if dataset is None:
    st.info("Open a dataset on the Data page first; then choose here what should learn from its cells.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

known = {info.id: info for info in readable(dataset)}

left, right = st.columns([3, 10], gap="large")
with left:
    start = st.segmented_control(
        "Start from",
        list(STARTS) if known else ["new"],
        format_func=STARTS.__getitem__,
        default="new",
        required=True,
        help="A new model knows nothing yet, and its genes are those of your cells. Weights that are here go on "
        "with what they have learned, and keep their genes.",
        key="start",
        width="stretch",
    )
    if start == "new":
        titles = {name: card.title for name, card in cards().items()}
        model = st.selectbox(
            "Model",
            list(titles),
            index=state.position(list(titles), st.query_params.get("model", "geneformer")),
            format_func=titles.__getitem__,
            key="model",
        )
        shapes = configurations(model)
        configuration = st.selectbox(
            "Size",
            list(shapes),
            index=state.position(list(shapes), "demo"),
            format_func=lambda name: f"{name} · {shapes[name]}",
            help="The last ones are as large as the published networks: they ask for a GPU and a million cells.",
            key=f"configuration_{model}",
        )
        chosen: dict[str, Any] = {"model": model, "configuration": configuration}
        suggested = f"{titles[model]} on {dataset.name}"
    else:
        first = st.selectbox("Weights", list(known), format_func=checkpoint_name, key="first_weights")
        chosen, suggested = {"checkpoint": first}, f"{known[first].name}, further"
    name = st.text_input("Name of the new weights", placeholder=suggested, key="new_name")
    epochs = st.number_input(
        "Passes over the cells", 1, 1000, 30, help="The weights of the best pass are kept.", key="epochs"
    )
    with st.expander("Advanced"):
        batch_size = st.number_input("Cells per update", 1, 512, 16, key="batch_size")
        learning_rate = st.number_input(
            "Learning rate",
            1e-6,
            1e-1,
            RATES[start],
            RATES[start] / 10,
            format="%g",
            help="How far one update moves the weights. Weights that have learned much want small steps.",
            key=f"learning_rate_{start}",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            **chosen,
            name=name.strip() or suggested,
            epochs=int(epochs),
            batch_size=int(batch_size),
            learning_rate=float(learning_rate),
            seed=int(seed),
        )
        enough = start == "new" or enough_genes(dataset, known[first])
        fits = price("pretraining", replace(request, name="any"))  # another name costs the same
        run_button("pretraining", request, ready=fits and enough)

with right:
    run_id = state.current_run("pretraining", dataset.id)
    if run_id is None:
        st.info(
            "Press Run: parts of your cells are hidden, and the model learns to tell what was there. "
            "No labels are needed; one cell in ten is held out to see how well it does."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        pretraining_result(run)
