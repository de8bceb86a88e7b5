"""Genes that a model sees in some cells, and why it does not see the others."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.cells_picker import CellChoice
from pages.components.show import escaped
from scviz.foundation.vocab import GeneVocab
from scviz.tasks.chosen_cells import chosen_rows, sample
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Kind, Request
from scviz.tasks.in_silico.genes import GenesSeen, by_name, genes_seen
from scviz.workspace import CheckpointInfo, DatasetInfo

MOST_OFFERED = 25_000


def seen_in(
    dataset: DatasetInfo, checkpoint: CheckpointInfo, choice: CellChoice, *, most_cells: int, seed: int
) -> GenesSeen:
    """Look the genes up in the cells that a run would draw."""
    cells = tuple((one.column, one.values) for one in choice.cells)
    group = (choice.group, choice.group_version)
    return _seen(dataset.id, checkpoint.id, cells, group=group, most_cells=most_cells, seed=seed)


@st.cache_resource(max_entries=16)
def _seen(
    dataset: str,
    checkpoint: str,
    cells: tuple[tuple[str, tuple[str, ...]], ...],
    *,
    group: tuple[str, str],
    most_cells: int,
    seed: int,
) -> GenesSeen:
    folder = state.workspace().dataset_folder(dataset)
    n_cells = state.workspace().dataset(dataset).n_cells
    request = Request(
        dataset=dataset,
        checkpoint=checkpoint,
        all_genes=True,
        cells=tuple(Filter(column=column, values=values) for column, values in cells),
        group=group[0],
        group_version=group[1],
    )
    rows = sample(chosen_rows(folder, request, n_cells), most_cells, seed)
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    return genes_seen(folder, vocab, rows, n_cells=n_cells)


def pick_genes(dataset: DatasetInfo, seen: GenesSeen, kind: Kind) -> tuple[str, ...]:
    """Let the user choose among the genes that can be edited, and ask after any other."""
    places = seen.editable(kind)[:MOST_OFFERED]
    counts = dict(zip((seen.names[i] for i in places), seen.n_cells[places].tolist(), strict=True))
    wanted = state.asked("gene")
    if wanted in counts:
        state.preset("genes", [wanted])
    elif wanted:
        st.warning(escaped(seen.refusal(wanted, kind)))
    held = state.held("genes") or []
    if not counts.keys() >= set(held):
        state.preset("genes", [gene for gene in held if gene in counts])
    chosen = st.multiselect(
        "Which genes",
        list(counts),
        format_func=lambda name: f"{name} · {counts[name]:,}",
        help=f"With the number of the {seen.n_used:,} cells that express it. {len(counts):,} of {len(seen.names):,} "
        "genes can be edited: those that the model knows"
        + ("." if kind == "overexpress" else " and these cells express."),
        placeholder="Type a gene",
        key="genes",
        persist_state="session",
    )
    _why(dataset, seen, kind, n_offered=len(counts))
    return tuple(chosen)


def _why(dataset: DatasetInfo, seen: GenesSeen, kind: Kind, *, n_offered: int) -> None:
    """Say why a gene is not offered."""
    n_unknown = int(np.sum(~seen.known))
    n_silent = len(seen.names) - n_unknown - n_offered
    words = [f"{n_unknown:,} genes are not in the model's vocabulary"] if n_unknown else []
    words += [f"{n_silent:,} are not expressed in these cells"] if n_silent > 0 else []
    with st.popover("A gene is missing?", type="tertiary"):
        if words:
            st.caption(f"Not offered: {', '.join(words)}.")
        text = st.text_input("Gene", placeholder="Type its name to see why", key="why_gene").strip()
        if text:
            name = by_name(state.workspace().dataset_folder(dataset.id), text)
            reason = seen.refusal(name, kind)
            st.write(escaped(reason or f"{name} is offered."))
