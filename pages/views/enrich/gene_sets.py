"""Gene sets to test: those that come with scviz, files of the user, and libraries of Enrichr."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.pick_file import kept_upload
from pages.components.show import errors_in_words, escaped
from pages.components.widgets import pick
from scviz.datasets.enrichr import LIBRARIES, LICENCE, library_address
from scviz.datasets.safety import allowed
from scviz.networks.gmt import programs
from scviz.tasks import gene_terms
from scviz.tasks.enrichment import PROGRAMS
from scviz.tasks.enrichment.sources import PROGRAMS_NAME

MOST_MB = 50


def pick_gene_sets() -> str:
    """Let the user choose gene sets, or add some; returns what a request calls them."""
    _coming_in()
    here = {PROGRAMS: f"{PROGRAMS_NAME} · {len(programs()):,} sets"}
    here |= {info.id: f"{info.name} · {info.n_terms:,} sets" for info in state.workspace().terms()}
    chosen = pick(
        "Gene sets",
        list(here),
        words=here.__getitem__,
        help="Programs of scviz: immune cell types and states, stress, signaling and metabolism, written from common "
        "knowledge of human genes. Others can be added below.",
        key="sets",
    )
    with st.popover("Add gene sets", icon=":material/add:", width="stretch"):
        _own_file()
        _download()
    return chosen


def _own_file() -> None:
    file = st.file_uploader(
        "A file of gene sets",
        type=["gmt", "txt", "tsv", "csv", "json", "gz"],
        max_upload_size=MOST_MB,
        key="gmt_upload",
        help="GMT (name, description, genes), or a table of gene and term; known by its content.",
    )
    path = st.text_input("Or a file on this server", key="gmt_path", help="gmt, tsv, csv or json, also .gz")
    if st.button("Add the file", key="add_gmt", disabled=not (file or path), width="stretch"):
        with errors_in_words():
            here = kept_upload(file) if file else allowed(path, state.settings().data_roots)
            name = Path(file.name).stem if file else ""
            _hand_in(gene_terms.Request(path=str(here), name=name))


def _download() -> None:
    """Offer libraries; nothing is fetched before the button is pressed."""
    library = st.selectbox("Or a library", list(LIBRARIES), format_func=LIBRARIES.__getitem__, key="library")
    address = library_address(state.settings().enrichr, library)
    st.caption(escaped(f"From {address}. {LICENCE}"))
    if st.button("Download", key="download_library", icon=":material/download:", width="stretch"):
        _hand_in(gene_terms.Request(library=library))


def _hand_in(request: gene_terms.Request) -> None:
    state.keep("adding_sets", state.queue().submit("gene_terms", request, state.owner()).run)
    st.rerun()


def _coming_in() -> None:
    """Watch gene sets come in, and choose them when they are here."""
    run_id = state.kept("adding_sets")
    if run_id is not None and job_panel(run_id).state == "done":
        state.keep("adding_sets", None)
        result = state.queue().result(run_id)
        for note in result.notes:
            st.warning(escaped(note))
        state.preset("sets", result.terms)
