"""Perturbation screens without a file of one's own: a simulated one, published ones, and terms of genes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words, escaped
from scviz.datasets.public_screens import GENE_ONTOLOGY, LICENCE, PUBLIC_SCREENS, PublicScreen
from scviz.datasets.safety import allowed
from scviz.datasets.simulated import WORDS
from scviz.tasks import gene_terms as terms_task
from scviz.tasks import opening, public_screen


def simulated_screen() -> None:
    """Offer a screen whose network is known."""
    with st.expander("Simulated perturbation screen", icon=":material/casino:", key="simulated"):
        st.write(
            "A CRISPR screen made up from a known gene network, so that predictions and networks can be compared "
            "with the truth. Every page says that it is simulated."
        )
        preset = st.selectbox(
            "Screen",
            list(WORDS),
            format_func=lambda name: f"{name} · {WORDS[name]}",
            key="simulated_preset",
        )
        seed = st.number_input(
            "Seed", 0, 9999, 0, key="simulated_seed", help="Another seed is another network with other cells."
        )
        if st.button("Simulate and open", key="open_simulated", width="stretch"):
            _open("opening", opening.simulated_request(preset, int(seed)))


def public_screens() -> None:
    """List published screens, each with a button; nothing is fetched before it is pressed."""
    with st.expander("Public perturbation screens", icon=":material/cloud_download:", key="public_screens"):
        st.write(f"{LICENCE} Nothing is downloaded until you press Download.")
        here = {info.name for info in state.workspace().datasets()}
        for name, screen in PUBLIC_SCREENS.items():
            with st.container(border=True, key=f"screen_{name}"):
                _public_screen(name, screen, is_here=screen.title in here)


def gene_terms() -> None:
    """List the terms of genes that are here, and offer two ways to add some."""
    with st.expander("Gene annotations (GO)", icon=":material/sell:", key="gene_terms"):
        st.write(
            "What is known of each gene, such as Gene Ontology: some predictors of perturbations use it to reach "
            "genes that were never perturbed."
        )
        for info in state.workspace().terms():
            st.markdown(f"**{escaped(info.name)}** · {info.n_genes:,} genes, {info.n_terms:,} terms")
            st.caption(escaped(info.source))
        path = st.text_input(
            "File on this server", key="terms_path", help="gmt, tsv, csv, json or pkl, also .gz"
        )
        if st.button("Add the file", key="add_terms", disabled=not path, width="stretch"):
            with errors_in_words():
                here = str(allowed(path, state.settings().data_roots))
                _hand_in("gene_terms", terms_task.Request(path=here), "adding_terms")
        st.caption(escaped(f"From {GENE_ONTOLOGY.address(state.settings().dataverse)}, 9.5 MB. {LICENCE}"))
        if st.button("Download those of GEARS", key="download_terms", width="stretch"):
            _hand_in("gene_terms", terms_task.Request(download=True), "adding_terms")
    _progress_of_terms()


def _public_screen(name: str, screen: PublicScreen, *, is_here: bool) -> None:
    """Say what a screen is and where it comes from, and offer it."""
    st.markdown(f"**{escaped(screen.title)}**: {escaped(screen.perturbation)}")
    address = screen.file.address(state.settings().dataverse)
    st.caption(escaped(f"{screen.size}. {screen.study}. From {address}"))
    if is_here:
        st.caption("It is here: choose it above.")
    elif st.button("Download", key=f"download_{name}", icon=":material/download:", width="stretch"):
        _open("public_screen", public_screen.Request(screen=name))


def _progress_of_terms() -> None:
    """Watch terms come in, and say what was found."""
    run_id = state.kept("adding_terms")
    if (
        state.kept("opening") is None
        and run_id is not None
        and job_panel(run_id, key="terms").state == "done"
    ):
        result = state.queue().result(run_id)
        state.keep("adding_terms", None)
        st.success(f"Added: {result.n_genes:,} genes, {result.n_terms:,} terms.")
        for note in result.notes:
            st.caption(escaped(note))


def _open(task: str, request: Any) -> None:
    """Hand in what ends in a dataset; the page shows it when it is there."""
    with errors_in_words():
        _hand_in(task, request, "opening")


def _hand_in(task: str, request: Any, kept: str) -> None:
    state.keep(kept, state.queue().submit(task, request, state.owner()).run)
    st.rerun()
