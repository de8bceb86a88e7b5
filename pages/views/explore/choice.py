"""Which maps are shown: a choice that stands in the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.embeddings import OF_BASELINE, OVERVIEW, Embedding
from pages.components.widgets import told_apart
from scviz.workspace.database import Run

MOST_MAPS = 4
BY_ITSELF = "maps_by_itself"
"""The maps of the address that nobody has chosen: newer ones take their place."""


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
    wanted = _wanted(offered)
    shown = (wanted or _newest(offered, run))[:MOST_MAPS]
    if not wanted:
        state.keep(BY_ITSELF, ",".join(shown))
    state.remember("maps", ",".join(shown))
    state.preset("maps", shown)
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


def _wanted(offered: Mapping[str, Embedding]) -> list[str]:
    """Return the maps that the user or a link has chosen, as far as they are there."""
    said = state.recall("maps") or ""
    if said == state.kept(BY_ITSELF):
        return []
    asked = said.split(",") if said else []
    if state.from_link("maps") and not set(asked) <= offered.keys():
        state.left_out("Some maps of the link are not here: they were deleted, or belong to somebody else.")
    return [one for one in dict.fromkeys(asked) if one in offered]


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
    state.keep(BY_ITSELF, None)
    state.remember("maps", ",".join(state.value_of("maps")) or None)
