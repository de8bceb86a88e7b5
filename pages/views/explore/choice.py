"""Which maps are shown, and by what they are colored: choices that stand in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components import state
from pages.components.coloring import GENE, choices, clusters_word
from pages.components.embeddings import OF_BASELINE, OVERVIEW, Embedding
from pages.components.widgets import told_apart
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

MOST_MAPS = 4
OF_GENE = "gene:"
"""A coloring in the address that begins so names a gene, any other a column."""


def choose_maps(offered: Mapping[str, Embedding], run: Run | None) -> list[Embedding]:
    """Offer the maps of a dataset, one to four; those of the address first, else what is newest.

    Parameters
    ----------
    offered
        By what addresses call them; one at least.
    run
        The run of a model that the page shows, if there is one.
    """
    _follow()
    wanted = [one for one in (state.recall("maps") or "").split(",") if one in offered]
    state.preset("maps", (wanted or _newest(offered, run))[:MOST_MAPS])
    chosen = st.multiselect(
        "Maps",
        list(offered),
        label_visibility="collapsed",
        placeholder="Maps",
        format_func=told_apart(offered, lambda one: offered[one].name),
        max_selections=MOST_MAPS,
        key="maps",
        on_change=_remember_maps,
    )
    return [offered[one] for one in chosen or _newest(offered, run)]


def recall_coloring(dataset: DatasetInfo) -> None:
    """Set the coloring to that of the address when it is drawn first, and to the clusters when they come."""
    held, clusters, offered = state.held("color_by"), clusters_word(dataset), choices(dataset)
    if held is None:
        _begin(state.recall("color") or "", offered)
    elif clusters in offered and held == GENE and not state.held("gene") and _waited(dataset):
        state.preset("color_by", clusters)
    state.keep("without_clusters", dataset.id if clusters not in offered else None)


def _begin(said: str, offered: Sequence[str]) -> None:
    """Set the coloring that an address names, if it can be had."""
    if said.startswith(OF_GENE):
        state.preset("color_by", GENE)
        state.preset("gene", said.removeprefix(OF_GENE))
    elif said in offered:
        state.preset("color_by", said)


def _waited(dataset: DatasetInfo) -> bool:
    """Tell whether the page was drawn before without clusters."""
    return state.kept("without_clusters") == dataset.id


def remember_coloring(choice: str) -> None:
    """Put the coloring into the address; a gene that is not named yet is none."""
    gene = state.held("gene") if choice == GENE else ""
    if gene or choice != GENE:
        state.remember("color", f"{OF_GENE}{gene}" if gene else choice)


def _newest(offered: Mapping[str, Embedding], run: Run | None) -> list[str]:
    """Name what is shown where nobody has chosen: the model's map and its baseline, else the first map."""
    asked = state.from_link("run")
    if any(one.run == asked for one in offered.values() if one.id == OVERVIEW):
        return [OVERVIEW]
    if run is not None and run.id in offered:
        return [run.id, f"{run.id}{OF_BASELINE}"]
    return list(offered)[:1]


def _follow() -> None:
    """Forget which maps were chosen when a new run of a model is handed in."""
    before, now = state.kept("explored"), state.from_link("run")
    if before is not None and now and now != before:
        state.remember("maps", None)
    state.keep("explored", now)


def _remember_maps() -> None:
    state.remember("maps", ",".join(state.value_of("maps")) or None)
