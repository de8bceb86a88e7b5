"""Genes of a set of a finished run: a module, a regulon, genes of two groups, markers, as a list of genes to edit."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.genes_picker import pick_genes
from pages.components.runs import clock
from pages.components.show import escaped
from pages.components.widgets import told_apart
from scviz.tasks import front
from scviz.tasks.in_silico import Kind
from scviz.tasks.in_silico.genes import GenesSeen, by_name
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

SETS = {"modules": "modules", "scenic": "regulons", "group_genes": "sets", "markers": "sets"}
"""Tasks whose results hold gene sets, and the field that does."""
TYPED, OF_RUN = "I name them", "A set of a run"


def take_set_from_address(dataset: DatasetInfo) -> None:
    """Choose the gene set that a link names, for a sweep; before the widgets are drawn."""
    run, name = state.asked("from_run"), state.asked("set")
    if run and name:
        found = next((one for one in _with_sets(dataset.id) if one.id == run), None)
        if found is None or name not in _sets(run, found.task, found.ended):
            state.left_out("The genes that the link asks for are not here: their run is gone. Choose others.")
            return
        for widget, value in (
            ("scope", "each"),
            ("genes_from", OF_RUN),
            ("set_run", run),
            (f"set_of_{run}", name),
        ):
            state.preset(widget, value)


def pick_genes_or_set(dataset: DatasetInfo, seen: GenesSeen, kind: Kind) -> tuple[str, ...]:
    """Let the user name genes, or take those of a set that was found in this dataset."""
    runs = {run.id: run for run in _with_sets(dataset.id)}
    if not runs:
        return pick_genes(dataset, seen, kind)
    if state.held("genes_from") is None:
        state.preset("genes_from", TYPED)
    origin = st.segmented_control(
        "Genes from",
        [TYPED, OF_RUN],
        required=True,
        key="genes_from",
        label_visibility="collapsed",
    )
    if origin != OF_RUN:
        return pick_genes(dataset, seen, kind)
    run_id = st.selectbox(
        "Found by", list(runs), format_func=told_apart(runs, lambda run: _in_words(runs[run])), key="set_run"
    )
    sets = _sets(run_id, runs[run_id].task, runs[run_id].ended)
    if not sets:
        st.info("That run found no gene set.")
        return ()
    name = st.selectbox(
        "Gene set",
        list(sets),
        format_func=lambda one: f"{one} · {len(sets[one]):,} genes",
        key=f"set_of_{run_id}",
    )
    return _editable(dataset, seen, kind, genes=sets[name])


def _editable(
    dataset: DatasetInfo, seen: GenesSeen, kind: Kind, *, genes: tuple[str, ...]
) -> tuple[str, ...]:
    """Keep the genes that can be edited, and say how many cannot."""
    folder = state.workspace().dataset_folder(dataset.id)
    names = dict.fromkeys(by_name(folder, gene) for gene in genes)
    refused = {name: reason for name in names if (reason := seen.refusal(name, kind))}
    if refused:
        st.caption(
            f"{len(refused):,} of {len(names):,} genes cannot be edited. {escaped(next(iter(refused.values())))}"
        )
    return tuple(name for name in names if name not in refused)


def _with_sets(dataset: str) -> list[Run]:
    return [
        run
        for run in state.queue().runs(states=("done",), owner=state.owner())
        if run.task in SETS and run.request.get("dataset") == dataset
    ]


@st.cache_resource(max_entries=16)
def _sets(run_id: str, task: str, ended: float) -> dict[str, tuple[str, ...]]:  # noqa: ARG001 - a run that was resumed ended anew
    return {one.name: one.genes for one in getattr(state.queue().result(run_id), SETS[task])}


def _in_words(run: Run) -> str:
    return f"{front(run.task).TITLE} · {clock(run.ended)} · {run.id}"
