"""Which regulators, and what supports their targets: files of the user."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.components.known_links import choose_downloaded, link_folders, offer_download
from pages.components.screen_picker import guessed_column
from scviz.datasets.safety import allowed
from scviz.tasks.scenic import METHODS, PRUNED, Method, Pruned
from scviz.tasks.scenic.files import ANNOTATIONS, LISTS, RANKINGS, TABLES, files_ending, files_version
from scviz.workspace import DatasetInfo

SUPPORT: dict[Pruned, str] = {
    "none": "Co-expression alone",
    "prior": "A table of known links",
    "motif": "Motifs near the genes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Files as a request names them; empty where there is none."""

    regulators: str = ""
    prior: str = ""
    rankings: str = ""
    annotations: str = ""

    @property
    def version(self) -> str:
        """Tells the files from others of the same names."""
        return files_version((self.regulators, self.prior, self.rankings, self.annotations))


def pick_evidence(dataset: DatasetInfo) -> Evidence | None:
    """Let the user choose what supports the targets, and a list of regulators; None, with words, without either.

    Raises
    ------
    FileNotAllowedError
        If a path leads out of the folders that the server's owner has opened.
    """
    support: Pruned = st.selectbox(
        "Targets supported by",
        list(SUPPORT),
        format_func=SUPPORT.__getitem__,
        help="; ".join(f"{SUPPORT[one]}: {words}" for one, words in PRUNED.items())
        + ". Known links also check every ranking.",
        key="support",
    )
    prior = rankings = annotations = ""
    if support == "prior":
        words = "Links such as CollecTRI, DoRothEA or TRRUST: columns source (or tf) and target."
        if choose_downloaded("prior"):
            _listed.clear()
        prior = _file("Known links", TABLES, words, key="prior")
        offer_download()
        if not prior:
            st.info("Name the table of known links, or download one.")
            return None
    if support == "motif":
        rankings = _file(
            "Rankings by motif", RANKINGS, "A Feather file of cisTarget, version 2.", key="rankings"
        )
        annotations = _file(
            "Motifs of regulators", ANNOTATIONS, "The .tbl table of cisTarget.", key="annotations"
        )
        if not (rankings and annotations):
            st.info(
                "Name both files: rankings of genes by motif, and the table that ties motifs to regulators."
            )
            return None
    words = "A symbol in each line. Empty takes the regulators of the known links."
    regulators = _file("Regulators", LISTS, words, key="regulators")
    if not regulators and not prior and not dataset.simulated:
        st.info("Which genes are regulators? Name a list of them, or a table of known links.")
        return None
    return Evidence(regulators=regulators, prior=prior, rankings=rankings, annotations=annotations)


def pick_perturbations(dataset: DatasetInfo) -> str:
    """Let the user name the column of a screen that says what was perturbed; empty where there is none."""
    guess = guessed_column(dataset.id)
    columns = [guess, ""] if guess else []
    if not columns:
        return ""
    return st.selectbox(
        "Perturbed gene",
        columns,
        format_func=lambda name: name or "do not look at perturbations",
        help="These cells are a screen: what changes when a regulator is perturbed stands beside the other rankings.",
        key="condition_key",
    )


def pick_method(*, has_perturbations: bool) -> Method:
    """Let the user choose how links are ranked."""
    chosen: Method = st.selectbox(
        "Links by",
        [name for name in METHODS if has_perturbations or name != "interventions"],
        format_func=METHODS.__getitem__,
        help="Plain correlation is always shown beside, and takes a second. In cells with few counts it is often "
        "better than boosted trees; perturbations, where there are any, tell more than both. Similar vectors are those "
        "of the model and weights that are chosen above.",
        key="links_by",
    )
    return chosen


@st.cache_data(ttl=30, max_entries=16)
def _listed(roots: tuple[str, ...], endings: tuple[str, ...]) -> list[str]:
    return files_ending(map(Path, roots), endings)


def _file(label: str, endings: tuple[str, ...], words: str, *, key: str) -> str:
    """Offer the files of the data folders; a path may be typed, too."""
    roots = link_folders()
    found = _listed(tuple(map(str, roots)), endings)
    names = Counter(Path(file).name for file in found)  # a name that two files have would not tell them apart
    chosen = st.selectbox(
        label,
        found,
        index=None,
        format_func=lambda file: (
            Path(file).name if names.get(Path(file).name) == 1 and file in found else file
        ),
        placeholder="Choose, or type a path" if found else "Type a path",
        accept_new_options=True,
        help=f"{words} Files of these folders can be opened: {', '.join(map(str, roots))}",
        key=key,
    )
    return str(allowed(chosen, roots)) if chosen else ""
