"""Predict the perturbations of a screen: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.frame import frame
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.screen_picker import ask_for_more, pick_screen
from pages.components.show import errors_in_words
from pages.views.perturb.methods import pick_methods, pick_split, what_each_can_predict
from pages.views.perturb.result import perturbation_result
from scviz.tasks.perturbation import Request

frame("perturb")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None:
    st.info(
        "Open a screen on the Data page first: cells with the gene that was perturbed in each. A simulated one, whose "
        "network is known, is there to try."
    )
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    choice = pick_screen(dataset)
    if choice is not None:
        split_place, methods_place, asked_place = st.container(), st.container(), st.container()
        collections = {info.id: info for info in state.workspace().terms()}
        with st.popover("Advanced", width="stretch"):
            terms = st.selectbox(
                "Terms of genes",
                [*collections, ""],
                format_func=lambda one: (
                    f"{collections[one].name} · {collections[one].n_genes:,} genes" if one else "none"
                ),
                help="GEARS takes genes that share terms for alike; without terms those that are expressed together. "
                "Add your own, such as the Gene Ontology, on the Data page.",
                key="terms",
            )
            split_seed = st.number_input("Seed of the split", 0, 9999, 1, key="split_seed")
            most_genes = st.number_input(
                "Genes",
                0,
                20_000,
                1000,
                100,
                help="The most variable ones are predicted, and every perturbed gene that is measured. 0 takes all.",
                key="most_genes",
            )
            epochs = st.number_input(
                "Epochs of training",
                0,
                200,
                0,
                help="Passes over the training cells. 0 takes what the authors of each method take.",
                key="epochs",
            )
            independent = st.checkbox(
                "Different control cells for prediction and truth",
                help="Methods see one half of the control cells, and measured changes start from the other half, so "
                "that no score gains from the noise of shared controls.",
                key="independent",
            )
            seed = st.number_input("Seed", 0, 9999, 0, key="seed")
        with methods_place:
            methods = pick_methods(dataset, checkpoint, terms)
        with asked_place:
            asked = ask_for_more(dataset, choice)
        with split_place:
            kind, split = pick_split(choice, int(split_seed))
        if split is not None:
            what_each_can_predict(dataset, methods, split, asked, terms)
            request = Request(
                dataset=dataset.id,
                column=choice.column,
                control=choice.control,
                methods=methods,
                split=kind,
                split_seed=int(split_seed),
                most_genes=int(most_genes),
                epochs=int(epochs),
                independent_controls=independent,
                terms=terms,
                predict_also=asked,
                seed=int(seed),
            )
            fits = price("perturbation", request)
            run_button("perturbation", request, ready=fits)

with right:
    run_id = state.current_run("perturbation", dataset.id)
    if run_id is None:
        st.info(
            "Press Run: whole perturbations are held out, each method learns from the others and predicts them, and "
            "you see whether any of them beats plain baselines, and how near the noise of the screen lets anyone come."
        )
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        perturbation_result(run)
