"""Which regulators drive my cells: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.regulons.form import pick_evidence, pick_method, pick_perturbations
from pages.views.regulons.result import regulons_result
from scviz.tasks.scenic import Request

frame("regulons")

dataset = state.current_dataset()
if dataset is None:
    st.info(
        "Open a dataset on the Data page first. A simulated one, whose network is known, is there to try."
    )
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    evidence = pick_evidence(dataset)
    condition_key = pick_perturbations(dataset)
    method = pick_method(has_perturbations=bool(condition_key))
    checkpoint = state.current_checkpoint() if method == "similarity" else None
    label_key = st.selectbox(
        "Known cell types",
        [*columns_of(dataset), ""],
        format_func=lambda name: name or "no column",
        key="label_key",
    )
    with st.popover("Advanced", width="stretch"):
        most_genes = st.number_input(
            "Genes",
            50,
            20_000,
            1000,
            100,
            help="The most variable ones are targets; regulators come on top.",
            key="most_genes",
        )
        most_cells = st.number_input(
            "Cells",
            50,
            50_000,
            2000,
            500,
            help="Links are looked for in as many, drawn at random. Activity is scored in all.",
            key="most_cells",
        )
        model_cells = st.number_input(
            "Cells that a model reads",
            1,
            50_000,
            100,
            help="For links by similar vectors; drawn at random.",
            key="model_cells",
        )
        fewest_genes = st.number_input(
            "Genes of a module, at least", 3, 500, 20, help="SCENIC takes 20.", key="fewest_genes"
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    if evidence is not None:
        request = Request(
            dataset=dataset.id,
            regulators=evidence.regulators,
            method=method,
            checkpoint=checkpoint.id if checkpoint else "",
            condition_key=condition_key,
            model_cells=int(model_cells),
            most_genes=int(most_genes),
            most_cells=int(most_cells),
            prior=evidence.prior,
            rankings=evidence.rankings,
            annotations=evidence.annotations,
            files_version=evidence.version,
            fewest_genes=int(fewest_genes),
            label_key=label_key or None,
            seed=int(seed),
        )
        fits = price("scenic", request)
        run_button("scenic", request, ready=fits)

with right:
    run_id = state.current_run("scenic", dataset.id)
    if run_id is None:
        st.info(
            "Press Run: links from regulators to targets are found, cut into regulons, and scored in each cell. Plain "
            "correlation and a random ranking stand beside, so that you see what is more than co-expression."
        )
        st.caption(
            "How much to expect, from simulated cells whose network is known: with 3,000 counts in a cell boosted "
            "trees and correlation find links 26 and 25 times as well as chance (AUPRC), with 300 counts 10 and 15 "
            "times, and with 300 counts among 1,000 genes 1.3 and 1.9 times, where perturbing the regulators gives "
            "6.2 times. Measured by benchmarks/networks.py."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        regulons_result(run)
