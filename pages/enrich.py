"""What genes have in common: choose, hand in, watch, show."""

from dataclasses import replace

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.run_button import run_button
from pages.components.show import errors_in_words
from pages.views.enrich.form import checkpoint_of, pick_question
from pages.views.enrich.gene_sets import pick_gene_sets
from pages.views.enrich.result import enrich_result

frame("enrich")

dataset = state.current_dataset()
if dataset is None:
    st.info("Open a dataset on the Data page first; then ask here what some of its genes have in common.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    question = pick_question(dataset)
    sets = pick_gene_sets()
    with st.popover("Advanced", width="stretch"):
        known = {
            info.id: f"measured genes that {info.name} knows" for info in state.workspace().checkpoints()
        }
        backgrounds = {"": "all measured genes"} | known
        checkpoint = st.selectbox(
            "Background",
            list(backgrounds),
            index=state.position(list(backgrounds), checkpoint_of(question) if question else ""),
            format_func=backgrounds.__getitem__,
            help="Genes that could have been chosen. Of a run, only those that it compared.",
            key=f"background_{question.run if question else ''}",
        )
        row = st.columns(2)
        fewest_genes = row[0].number_input("Genes of a set, at least", 1, 500, 5, key="fewest_genes")
        most_genes = row[1].number_input("At most", 500, 5000, 500, 100, key="most_set_genes")
        row = st.columns(2)
        max_fdr = row[0].number_input(
            "FDR of a gene",
            0.0001,
            1.0,
            0.05,
            0.01,
            format="%.4f",
            help="Genes of a group change at this false discovery rate.",
            key="max_fdr",
        )
        least_change = row[1].number_input(
            "Log2 fold change", 0.0, 20.0, 0.5, 0.25, help="Of a group, at least.", key="least_change"
        )
        row = st.columns(2)
        n_random = row[0].number_input("Random draws", 20, 10_000, 100, 100, key="n_random")
        seed = row[1].number_input("Seed", 0, 9999, 0, key="seed")
    if question is not None:
        request = replace(
            question,
            sets=sets,
            checkpoint=checkpoint,
            fewest_genes=int(fewest_genes),
            most_genes=int(most_genes),
            max_fdr=float(max_fdr),
            least_change=float(least_change),
            n_random=int(n_random),
            seed=int(seed),
        )
        run_button("enrichment", request, ready=True)

with right:
    linked = any(map(state.from_link, ("from_run", "group", "genes"))) and not state.from_link("run")
    run_id = None if linked else state.current_run("enrichment", dataset.id)
    if run_id is None:
        st.info(
            "Press Run: every gene set is tested for more of these genes than chance gives. Random genes that are "
            "expressed alike are tested beside, so that you see what is more than strong expression."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        enrich_result(run)
