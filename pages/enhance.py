"""More reads: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.enhance.result import enhancement_result
from scviz.models import cards
from scviz.tasks.enhancement import Request

frame("enhance")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then restore its cells here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

able = [card for card in cards().values() if card.support.get("enhancement", "none") != "none"]
card = cards()[checkpoint.model]
if card not in able:
    titles, names = " or ".join(card.title for card in able), {card.name for card in able}
    st.info(f"{card.title} cannot restore expression; {titles} can.")
    for info in state.workspace().checkpoints():
        if info.model in names and st.button(f"Use {info.name}", key=f"use_{info.id}"):
            state.remember("checkpoint", info.id)
            st.rerun()
    st.page_link(
        "pages/models.py", label="Choose a model", icon=":material/neurology:", query_params=state.link()
    )
    st.stop()

left, right = st.columns([3, 10], gap="large")
with left:
    read_depth = st.selectbox(
        "Restore each cell as if it had",
        list(card.read_depths),
        format_func=card.read_depths.__getitem__,
        index=state.position(list(card.read_depths), "f5"),
        help="The model reads a cell and predicts the expression of every gene it knows at this depth.",
        key="read_depth",
    )
    columns = dataset.columns_of("label", "category", "batch")
    label_key = st.selectbox(
        "Column with known cell types",
        [*columns, ""],
        format_func=lambda column: column or "none",
        help="Says how far types stand apart before and after.",
        key="label_key",
    )
    with st.expander("Advanced"):
        check_cells = st.number_input(
            "Cells to check on",
            10,
            2000,
            200,
            10,
            help="So many cells are thinned to a tenth of their reads, restored, and compared with what they were.",
            key="check_cells",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            read_depth=read_depth,
            label_key=label_key or None,
            check_cells=int(check_cells),
            seed=int(seed),
        )
        enough = enough_genes(dataset, checkpoint)
        fits = price("enhancement", request)
        run_button("enhancement", request, ready=fits and enough)

with right:
    run_id = state.current_run("enhancement", dataset.id, checkpoint.id)
    if run_id is None:
        st.info(
            "Press Run: the model first restores cells that were thinned to a tenth of their reads, so that you see "
            "whether it can be trusted, and then all cells."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        enhancement_result(run)
