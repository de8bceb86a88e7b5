"""Two groups of cells, the regulators to look at, and what is known of their targets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.known_links import choose_downloaded, fitting_files, link_folders, offer_download
from pages.components.missing import EXPLORE, Missing, missing_genes
from pages.components.text import escaped
from pages.components.widgets import Form, told_apart
from scviz.datasets.columns import gene_identifiers, gene_names
from scviz.datasets.controls import says_control
from scviz.datasets.safety import allowed
from scviz.foundation.vocab import GeneVocab
from scviz.networks.priors import read_prior
from scviz.networks.shipped import shipped_links, title_of
from scviz.tasks.attention_network import MOST_REGULATORS, TRUTH, Request
from scviz.tasks.scenic.files import TABLES
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import files_version
from scviz.workspace.store import ColumnInfo

MOST_OFFERED = 25_000
FIRST_REGULATORS = 5
"""So many are chosen to begin with, where nothing was perturbed."""


def attention_form(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None
) -> Request | Missing:
    """Ask; what is missing where there are no two groups of cells or no regulator."""
    columns = [column for column in dataset.columns if len(column.values) > 1]
    if checkpoint is None or not columns:
        return Missing(
            reason="Two groups of cells are compared, and this dataset has no column that tells any apart. Name groups "
            "on the map, write them into a copy of the file, and open that.",
            page=EXPLORE,
            label="Name groups on the map",
        )
    form = Form(Request, "attention_network", run)
    column, control, perturbed = _pick_groups(form, dataset, columns)
    regulators = _pick_regulators(form, dataset, checkpoint, perturbed=perturbed)
    prior = _pick_prior(form, dataset)
    with st.popover("Advanced", width="stretch"):
        numbers = {name: form.number(name) for name in ("most_genes", "most_cells", "top", "n_null")}
        published, seed = form.switch("published"), form.number("seed")
    if not regulators:
        return _no_regulator(dataset, checkpoint)
    return Request(
        dataset=dataset.id,
        checkpoint=checkpoint.id,
        column=column,
        control=control,
        perturbed=perturbed,
        regulators=regulators,
        prior=prior,
        files_version="" if prior == TRUTH else files_version(prior),
        published=published,
        seed=seed,
        **numbers,
    )


def _pick_groups(form: Form, dataset: DatasetInfo, columns: Sequence[ColumnInfo]) -> tuple[str, str, str]:
    """Let the user choose a column and two of its values; a screen and its control cells come first."""
    screens = [column.name for column in columns if any(map(says_control, column.values))]
    guess = screens[0] if screens else next(iter(dataset.columns_of("label")), None)
    names = sorted((column.name for column in columns), key=lambda name: name != guess)
    column = str(form.column("column", names))
    values = sorted(dataset.column(column).values, key=lambda value: not says_control(value))
    row = st.columns(2, vertical_alignment="bottom")
    control = str(form.column("control", values, row[0]))
    perturbed = str(form.column("perturbed", [value for value in values if value != control], row[1]))
    return column, control, perturbed


@st.cache_resource(max_entries=16)
def _known(dataset: str, checkpoint: str) -> tuple[str, ...]:
    folder = state.workspace().dataset_folder(dataset)
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    names = gene_names(folder)
    return tuple(names[i] for i in np.flatnonzero(vocab.match(gene_identifiers(folder)) >= 0))


def _pick_regulators(
    form: Form, dataset: DatasetInfo, checkpoint: CheckpointInfo, *, perturbed: str
) -> tuple[str, ...]:
    """Let the user choose genes that the model knows; the perturbed ones are chosen at first."""
    known = _known(dataset.id, checkpoint.id)[:MOST_OFFERED]
    key = f"regulators_{form.asked('perturbed') == perturbed}_{perturbed}"
    asked = form.asked("regulators", ()) if form.asked("perturbed") == perturbed else perturbed.split("+")
    begin = [gene for gene in asked if gene in known] or list(_first(dataset.id, checkpoint.id))
    chosen = st.multiselect(
        "Regulators",
        known,
        default=begin,
        max_selections=MOST_REGULATORS,
        placeholder="Type a gene",
        help="Such as transcription factors; those with the most known targets here, where nothing was perturbed. "
        f"{len(known):,} genes of the dataset are known to the model.",
        key=key,
        persist_state="session",
    )
    return tuple(chosen)


@st.cache_resource(max_entries=16)
def _first(dataset: str, checkpoint: str) -> tuple[str, ...]:
    """Name the regulators with the most known targets among the genes that the model knows."""
    prior = read_prior(shipped_links(state.workspace().dataset(dataset).species))
    targets = prior.among(_known(dataset, checkpoint)).targets
    return tuple(sorted(targets, key=lambda one: (-len(targets[one]), one))[:FIRST_REGULATORS])


def _no_regulator(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> Missing:
    if _known(dataset.id, checkpoint.id):
        return Missing(reason="No regulator was selected. Type a gene above.")
    return missing_genes(dataset, f"{checkpoint.name} knows none of the genes of {dataset.name}.")


def _pick_prior(form: Form, dataset: DatasetInfo) -> str:
    """Let the user choose a prior network of scviz or a data folder, or the truth of a simulated screen."""
    roots, key, found = link_folders(), form.key("prior"), partial(fitting_files, dataset, TABLES)
    options = [*([TRUTH] if dataset.simulated else []), *found(), ""]
    if form.fresh and form.asked("prior") in options:
        state.preset(key, form.asked("prior"))
    if choose_downloaded(key):
        options[-1:] = [one for one in found() if one not in options] + [""]
    chosen = st.selectbox(
        "Prior network (TF - target)",
        options,
        format_func=told_apart(options, _prior_in_words),
        help="Known targets: a table with the columns source (or tf) and target, tab or comma separated, in a data "
        f"folder of this server: {escaped(', '.join(map(str, roots)))}. A collection such as CollecTRI, or a list of "
        "targets from ChIP-Atlas, such as MYC.10.tsv.",
        key=key,
        persist_state="session",
    )
    offer_download()
    return chosen if chosen in ("", TRUTH) else str(allowed(chosen, roots))


def _prior_in_words(prior: str) -> str:
    words = {"": "none", TRUTH: "the network of the simulation"}
    return words.get(prior, title_of(prior))
