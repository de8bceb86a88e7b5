"""Known links from regulators to targets: tables on this server, and those that can be downloaded."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words, escaped
from scviz.datasets.known_links import COLLECTIONS, DISTANCES, chip_atlas
from scviz.networks.priors import holds_links, holds_regulators
from scviz.networks.shipped import FOLDER, shipped_links
from scviz.tasks.known_links import Request
from scviz.tasks.scenic.files import LISTS, TABLES, files_ending
from scviz.workspace import DatasetInfo

CHIP_ATLAS = "chip-atlas"


def link_folders() -> tuple[Path, ...]:
    """Return the folders whose tables can be chosen."""
    return (FOLDER, *state.settings().data_roots, state.workspace().links_folder)


@st.cache_data(ttl=30, max_entries=16)
def _fitting(roots: tuple[str, ...], endings: tuple[str, ...]) -> list[str]:
    fits = {TABLES: holds_links, LISTS: holds_regulators}.get(endings, Path.is_file)
    return [file for file in files_ending(map(Path, roots), endings) if fits(Path(file))]


def fitting_files(dataset: DatasetInfo, endings: tuple[str, ...]) -> list[str]:
    """List the files with some endings whose first lines fit, those that scviz ships for the species first."""
    found = _fitting(tuple(map(str, link_folders())), endings)
    ours = shipped_links(dataset.species).name.partition("_")[2].partition(".")[0]
    other = [file for file in found if Path(file).parent == FOLDER and f"_{ours}." not in file]
    return sorted((file for file in found if file not in other), key=lambda file: Path(file).parent != FOLDER)


def choose_downloaded(key: str) -> bool:
    """Watch a table come in, and choose it in a select box when it is here; before that box is drawn.

    Parameters
    ----------
    key
        Of the select box of tables.

    Returns
    -------
    Whether one has just come in.
    """
    run_id = state.kept("adding_links")
    if run_id is None or job_panel(run_id).state != "done":
        return False
    state.keep("adding_links", None)
    _fitting.clear()
    state.preset(key, state.queue().result(run_id).path)
    return True


def offer_download() -> None:
    """Offer published tables; nothing is fetched before the button is pressed."""
    with st.popover("Download a prior network", icon=":material/add:", width="stretch"), errors_in_words():
        collection = st.selectbox(
            "From",
            [*COLLECTIONS, CHIP_ATLAS],
            format_func=lambda one: (
                COLLECTIONS[one].title if one in COLLECTIONS else "ChIP-Atlas: one regulator"
            ),
            key="links_from",
        )
        request = Request(collection=collection) if collection in COLLECTIONS else _of_a_regulator()
        if request is None:
            return
        source = request.source()
        st.caption(escaped(f"From {source.address(state.settings().links)}. {source.terms}"))
        if st.button("Download", key="download_links", icon=":material/download:", width="stretch"):
            state.keep("adding_links", state.queue().submit("known_links", request, state.owner()).run)
            st.rerun()


def _of_a_regulator() -> Request | None:
    row = st.columns(2)
    regulator = row[0].text_input("Regulator", placeholder="STAT1", key="links_regulator").strip().upper()
    distance = row[1].selectbox(
        "Within",
        DISTANCES,
        index=len(DISTANCES) - 1,
        format_func=lambda kb: f"{kb} kb",
        help="Around the start of a gene.",
        key="links_distance",
    )
    if not regulator:
        return None
    chip_atlas(regulator, distance)  # says what is wrong with the name
    return Request(regulator=regulator, distance=distance)
