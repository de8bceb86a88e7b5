"""Which maps are shown: a choice that stands in the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.embeddings import COMPONENTS, OF_BASELINE, OVERVIEW, Embedding
from pages.components.widgets import told_apart
from scviz.workspace.database import Run

MOST_MAPS = 4
COMING = {OVERVIEW, COMPONENTS}
"""Maps that are drawn behind opening: a link to them waits."""
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
    asked = _asked()
    wanted = [one for one in asked if one in offered]
    shown = (wanted or _newest(offered, run))[:MOST_MAPS]
    if not set(asked) & COMING - offered.keys():
        _remember(shown, by_itself=not wanted)
        if wanted != asked:
            state.left_out(
                "Some maps that were asked for are not here: they were deleted, or belong to somebody else."
            )
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


def _asked() -> list[str]:
    """Return the maps that the user or a link has chosen."""
    said = state.recall("maps") or ""
    return list(dict.fromkeys(said.split(","))) if said and said != state.kept(BY_ITSELF) else []


def _remember(shown: list[str], *, by_itself: bool) -> None:
    if by_itself:
        state.keep(BY_ITSELF, ",".join(shown))
    state.remember("maps", ",".join(shown))


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
