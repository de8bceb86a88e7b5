"""Which regulators, and what supports their targets: files of the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of
from pages.components.known_links import choose_downloaded, link_folders, offer_download
from pages.components.screen_picker import guessed_column
from pages.components.widgets import Form
from scviz.datasets.safety import allowed
from scviz.tasks.fields import suggested
from scviz.tasks.scenic import METHODS, PRUNED, Pruned, Request
from scviz.tasks.scenic.files import ANNOTATIONS, LISTS, RANKINGS, TABLES, files_ending
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import files_version

SUPPORT: dict[Pruned, str] = {
    "none": "Co-expression alone",
    "prior": "A prior network (TF - target)",
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
        return files_version(self.regulators, self.prior, self.rankings, self.annotations)


def regulons_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | None:
    """Ask; None, with words, where files are missing."""
    form = Form(Request, "scenic", run)
    evidence = _pick_evidence(form, dataset)
    guess = guessed_column(dataset.id)
    condition_key = str(form.column("condition_key", [guess], suggested=guess) or "") if guess else ""
    method = form.choice(
        "method", options=[one for one in METHODS if condition_key or one != "interventions"]
    )
    checkpoint = state.current_checkpoint() if method == "similarity" else None
    types = suggested(Request, "label_key", dataset)
    label_key = form.column("label_key", columns_of(dataset), suggested=types)
    with st.popover("Advanced", width="stretch"):
        numbers = {
            name: form.number(name)
            for name in ("most_genes", "most_cells", "model_cells", "fewest_genes", "seed")
        }
    if evidence is None:
        return None
    return Request(
        dataset=dataset.id,
        regulators=evidence.regulators,
        method=method,
        checkpoint=checkpoint.id if checkpoint else "",
        condition_key=condition_key,
        prior=evidence.prior,
        rankings=evidence.rankings,
        annotations=evidence.annotations,
        files_version=evidence.version,
        label_key=label_key,
        **numbers,
    )


def _pick_evidence(form: Form, dataset: DatasetInfo) -> Evidence | None:
    """Let the user choose what supports the targets, and a list of regulators; None, with words, without either.

    Raises
    ------
    FileNotAllowedError
        If a path leads out of the folders that the server's owner has opened.
    """
    if form.fresh:
        asked: Pruned = "motif" if form.asked("rankings") else "prior" if form.asked("prior") else "none"
        state.preset(form.key("support"), asked)
    support: Pruned = st.selectbox(
        "Targets supported by",
        list(SUPPORT),
        format_func=SUPPORT.__getitem__,
        help="; ".join(f"{SUPPORT[one]}: {words}" for one, words in PRUNED.items())
        + ". A prior network also checks every ranking.",
        key=form.key("support"),
        persist_state="session",
    )
    ask: dict[Pruned, Callable[[Form], Evidence | None]] = {
        "prior": _prior,
        "motif": _motifs,
        "none": _nothing,
    }
    found = ask[support](form)
    if found is None:
        return None
    words = "A symbol in each line. Empty takes the regulators of the prior network."
    regulators = _file(form, "Regulators", LISTS, words=words, name="regulators")
    if not regulators and not found.prior and not dataset.simulated:
        st.info("Which genes are regulators? Name a list of them, or a prior network (TF - target).")
        return None
    return replace(found, regulators=regulators)


def _prior(form: Form) -> Evidence | None:
    words = "Links such as CollecTRI, DoRothEA or TRRUST: columns source (or tf) and target."
    if choose_downloaded(form.key("prior")):
        _listed.clear()
    prior = _file(form, "Prior network (TF - target)", TABLES, words=words, name="prior")
    offer_download()
    if prior:
        return Evidence(prior=prior)
    st.info("Name the table of the prior network, or download one.")
    return None


def _nothing(_: Form) -> Evidence | None:
    return Evidence()


def _motifs(form: Form) -> Evidence | None:
    words = "A Feather file of cisTarget, version 2."
    rankings = _file(form, "Rankings by motif", RANKINGS, words=words, name="rankings")
    words = "The .tbl table of cisTarget."
    annotations = _file(form, "Motifs of regulators", ANNOTATIONS, words=words, name="annotations")
    if rankings and annotations:
        return Evidence(rankings=rankings, annotations=annotations)
    st.info("Name both files: rankings of genes by motif, and the table that ties motifs to regulators.")
    return None


@st.cache_data(ttl=30, max_entries=16)
def _listed(roots: tuple[str, ...], endings: tuple[str, ...]) -> list[str]:
    return files_ending(map(Path, roots), endings)


def _file(form: Form, label: str, endings: tuple[str, ...], *, words: str, name: str) -> str:
    """Offer the files of the data folders; a path may be typed, too."""
    roots = link_folders()
    found = _listed(tuple(map(str, roots)), endings)
    key = form.key(name)
    if form.fresh and form.asked(name):
        state.preset(key, form.asked(name))
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
        persist_state="session",
    )
    return str(allowed(chosen, roots)) if chosen else ""
