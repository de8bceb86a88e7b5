"""Two groups of cells, the regulators to look at, and what is known of their targets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.known_links import choose_downloaded, link_folders, offer_download
from scviz.datasets.columns import gene_identifiers, gene_names
from scviz.datasets.safety import allowed
from scviz.foundation.vocab import GeneVocab
from scviz.tasks.attention_network import MOST_REGULATORS, TRUTH
from scviz.workspace import CheckpointInfo, DatasetInfo

CONTROLS = ("ctrl", "control", "non-targeting")
MOST_OFFERED = 25_000
MOST_FILES = 200
TABLES = ("*.tsv", "*.csv", "*.tsv.gz", "*.csv.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Two groups of cells."""

    column: str
    control: str
    perturbed: str


def pick_groups(dataset: DatasetInfo) -> Groups | None:
    """Let the user choose a column and two of its values; None, with words, where there are no two."""
    columns = [column for column in dataset.columns if len(column.values) > 1]
    if not columns:
        st.info("This dataset has no column that tells two groups of cells apart.")
        return None
    screens = [column.name for column in columns if set(column.values) & set(CONTROLS)]
    names = [column.name for column in columns]
    guess = screens[0] if screens else next(iter(dataset.columns_of("label")), None)
    column = st.selectbox(
        "Compare cells by",
        names,
        index=state.position(names, guess),
        help="A column that says what was perturbed, or the types of cells.",
        key="groups_column",
    )
    values = list(dataset.column(column).values)
    control = next((value for value in values if value in CONTROLS), values[0])
    row = st.columns(2)
    first = row[0].selectbox(
        "Control, or cells A", values, index=state.position(values, control), key=f"group_a_{column}"
    )
    others = [value for value in values if value != first]
    second = row[1].selectbox("Perturbed, or cells B", others, key=f"group_b_{column}")
    return Groups(column=column, control=first, perturbed=second)


@st.cache_resource(max_entries=16)
def _known(dataset: str, checkpoint: str) -> tuple[str, ...]:
    folder = state.workspace().dataset_folder(dataset)
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    names = gene_names(folder)
    return tuple(names[i] for i in np.flatnonzero(vocab.match(gene_identifiers(folder)) >= 0))


def pick_regulators(dataset: DatasetInfo, checkpoint: CheckpointInfo, groups: Groups) -> tuple[str, ...]:
    """Let the user choose genes that the model knows; the perturbed ones are chosen at first."""
    known = _known(dataset.id, checkpoint.id)
    perturbed = [gene for gene in groups.perturbed.split("+") if gene in known]
    chosen = st.multiselect(
        "Regulators",
        known[:MOST_OFFERED],
        default=perturbed,
        max_selections=MOST_REGULATORS,
        placeholder="Type a gene",
        help=f"Such as transcription factors. {len(known):,} genes of the dataset are known to the model.",
        key=f"regulators_{groups.column}_{groups.perturbed}",
    )
    return tuple(chosen)


def pick_prior(dataset: DatasetInfo) -> str:
    """Let the user choose a table of known targets in the data folders, or the truth of a simulated screen."""
    roots = link_folders()
    found = [
        str(file)
        for root in roots
        for file in islice(sorted(one for kind in TABLES for one in root.rglob(kind)), MOST_FILES)
    ]
    choose_downloaded("prior")
    truth = [TRUTH] if dataset.simulated else []
    chosen = st.selectbox(
        "Known targets",
        [*truth, *found, ""],
        format_func=_prior_in_words,
        help="A table with the columns source (or tf) and target, tab or comma separated, in a data folder of "
        f"this server: {', '.join(map(str, roots))}. A collection such as CollecTRI, or a list of targets from "
        "ChIP-Atlas, such as MYC.10.tsv.",
        key="prior",
    )
    offer_download()
    return chosen if chosen in ("", TRUTH) else str(allowed(chosen, roots))


def _prior_in_words(prior: str) -> str:
    words = {"": "none", TRUTH: "the network of the simulation"}
    return words.get(prior, Path(prior).name)
