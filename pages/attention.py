"""Which genes a model lets a regulator influence: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.attention.form import pick_groups, pick_prior, pick_regulators
from pages.views.attention.result import attention_result
from scviz.tasks.attention_network import Request

frame("attention")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then choose two groups of cells and a regulator here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    groups = pick_groups(dataset)
    regulators = pick_regulators(dataset, checkpoint, groups) if groups else ()
    prior = pick_prior(dataset)
    with st.popover("Advanced", width="stretch"):
        most_genes = st.number_input(
            "Genes",
            20,
            5000,
            1200,
            100,
            help="The most variable ones that the model knows, and every regulator. Twice as many take about four "
            "times as long.",
            key="most_genes",
        )
        most_cells = st.number_input(
            "Cells of each group", 5, 5000, 100, help="More are drawn at random.", key="most_cells"
        )
        top = st.number_input(
            "Top targets", 1, 500, 20, help="So many genes count as predicted targets.", key="top"
        )
        n_null = st.number_input(
            "Other genes in its place",
            5,
            1000,
            20,
            help="Genes expressed like the regulator are tried as regulators. With 20 no p value is below 0.048.",
            key="n_null",
        )
        published = st.checkbox(
            "As published",
            help="Breaks ties by the order of genes and leaves out the first cell of each group, as the code of "
            "scGPT's authors does. Only to reproduce their numbers.",
            key="published",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    if groups and regulators:
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            column=groups.column,
            control=groups.control,
            perturbed=groups.perturbed,
            regulators=regulators,
            prior=prior,
            most_genes=int(most_genes),
            most_cells=int(most_cells),
            top=int(top),
            n_null=int(n_null),
            published=published,
            seed=int(seed),
        )
        enough = enough_genes(dataset, checkpoint)
        fits = price("attention_network", request)
        run_button("attention_network", request, ready=fits and enough)

with right:
    run_id = state.current_run("attention_network", dataset.id, checkpoint.id)
    if run_id is None:
        st.info(
            "Choose a regulator and press Run: the model reads both groups of cells, and the genes that attend most to "
            "the regulator are held against known targets, beside co-expression, random genes and other genes."
        )
        st.caption("Attention is no proof of regulation.")
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        attention_result(run)
