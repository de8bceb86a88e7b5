"""Which regulators, and what supports their targets: files of the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of
from pages.components.known_links import choose_downloaded, fitting_files, link_folders, offer_download
from pages.components.missing import DATA, Missing
from pages.components.screen_picker import guessed_column
from pages.components.text import escaped
from pages.components.widgets import Form
from scviz.datasets.columns import gene_names
from scviz.datasets.gene_keys import matched
from scviz.datasets.safety import allowed
from scviz.networks.priors import read_prior, read_regulators
from scviz.networks.shipped import shipped_links, shipped_regulators, title_of
from scviz.tasks.fields import suggested
from scviz.tasks.scenic import METHODS, PRUNED, Pruned, Request
from scviz.tasks.scenic.files import ANNOTATIONS, LISTS, RANKINGS, TABLES
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import files_version

SUPPORT: dict[Pruned, str] = {
    "none": "Co-expression alone",
    "prior": "A prior network (TF - target)",
    "motif": "Motifs near the genes",
}


FEWEST_REGULATORS = 3
"""With fewer there is nothing to search."""


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


def regulons_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | Missing:
    """Ask; what is missing where files are, or too few regulators are measured."""
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
    if isinstance(evidence, Missing):
        return evidence
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


def _pick_evidence(form: Form, dataset: DatasetInfo) -> Evidence | Missing:
    """Let the user choose what supports the targets, and a list of regulators.

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
    _begin_with_ours(form, dataset)
    ask: dict[Pruned, Callable[[Form, DatasetInfo], Evidence | Missing]] = {
        "prior": _prior,
        "motif": _motifs,
        "none": _nothing,
    }
    found = ask[support](form, dataset)
    words = "A symbol in each line. Empty takes the regulators of the prior network."
    regulators = _file(form, dataset, "Regulators", endings=LISTS, words=words, name="regulators")
    if isinstance(found, Missing):
        return found
    return _measured(replace(found, regulators=regulators), dataset)


def _begin_with_ours(form: Form, dataset: DatasetInfo) -> None:
    """Choose the files that scviz ships for the species; simulated cells are checked by their own network."""
    mark, species = f"ours_{form.key('regulators')}", "none" if dataset.simulated else dataset.species
    if state.kept(mark) == species:
        return
    state.keep(mark, species)
    for name, ours in (("regulators", shipped_regulators), ("prior", shipped_links)):
        shipped = [str(ours(one)) for one in ("human", "mouse")]
        if not form.fresh and state.held(form.key(name)) in (None, *shipped):
            state.preset(form.key(name), None if dataset.simulated else str(ours(species)))


def _measured(evidence: Evidence, dataset: DatasetInfo) -> Evidence | Missing:
    """Say how many regulators are measured; too few are no question."""
    if dataset.simulated and not evidence.regulators and not evidence.prior:
        return evidence
    if not evidence.regulators and not evidence.prior:
        return Missing(
            reason="Which genes are regulators? Choose a list of them, or a prior network (TF - target)."
        )
    n_listed, n_measured = _regulators_measured(
        dataset.id, evidence.regulators, evidence.prior, version=evidence.version
    )
    words = f"{n_measured:,} of {n_listed:,} regulators are measured in these cells."
    if n_measured < FEWEST_REGULATORS:
        return Missing(
            reason=f"{words} Choose a list whose symbols are those of the dataset, or look on the Data page how its "
            "genes are named.",
            page=DATA,
            label="Look at the names of genes",
        )
    st.caption(words)
    return evidence


@st.cache_data(max_entries=32)
def _regulators_measured(
    dataset: str,
    regulators: str,
    prior: str,
    *,
    version: str,  # noqa: ARG001 - tells files of one name apart
) -> tuple[int, int]:
    """Count the regulators of a list, else of a table, and those that a dataset measures."""
    listed = read_regulators(Path(regulators)) if regulators else tuple(read_prior(Path(prior)).targets)
    genes = gene_names(state.workspace().dataset_folder(dataset))
    return len(listed), len(set(matched(listed, genes).genes.values()))


def _prior(form: Form, dataset: DatasetInfo) -> Evidence | Missing:
    words = "Links such as CollecTRI, DoRothEA or TRRUST: columns source (or tf) and target."
    choose_downloaded(form.key("prior"))
    prior = _file(form, dataset, "Prior network (TF - target)", endings=TABLES, words=words, name="prior")
    offer_download()
    if prior:
        return Evidence(prior=prior)
    return Missing(reason="Name the table of the prior network, or download one.")


def _nothing(_: Form, __: DatasetInfo) -> Evidence:
    return Evidence()


def _motifs(form: Form, dataset: DatasetInfo) -> Evidence | Missing:
    words = "A Feather file of cisTarget, version 2."
    rankings = _file(form, dataset, "Rankings by motif", endings=RANKINGS, words=words, name="rankings")
    words = "The .tbl table of cisTarget."
    annotations = _file(
        form, dataset, "Motifs of regulators", endings=ANNOTATIONS, words=words, name="annotations"
    )
    if rankings and annotations:
        return Evidence(rankings=rankings, annotations=annotations)
    return Missing(
        reason="Name both files: rankings of genes by motif, and the table that ties motifs to regulators."
    )


def _file(
    form: Form, dataset: DatasetInfo, label: str, *, endings: tuple[str, ...], words: str, name: str
) -> str:
    """Offer the files of the data folders; a path may be typed, too."""
    roots, found = link_folders(), fitting_files(dataset, endings)
    key = form.key(name)
    if form.fresh and form.asked(name):
        state.preset(key, form.asked(name))
    names = Counter(Path(file).name for file in found)  # a name that two files have would not tell them apart
    chosen = st.selectbox(
        label,
        found,
        index=None,
        format_func=lambda file: (
            title_of(file) if names.get(Path(file).name) == 1 and file in found else file
        ),
        placeholder="Choose, or type a path" if found else "Type a path",
        accept_new_options=True,
        help=f"{words} Files of these folders can be opened: {escaped(', '.join(map(str, roots)))}",
        key=key,
        persist_state="session",
    )
    return str(allowed(chosen, roots)) if chosen else ""
