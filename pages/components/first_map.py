"""The first map of a dataset: handed in behind opening, by itself, and watched in one line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import streamlit as st

from pages.components import state
from pages.components.job_panel import OPEN, WORDS
from pages.components.show import escaped
from scviz.errors import ScvizError
from scviz.metrics.evidence import counted
from scviz.tasks.overview import NEEDS, Request
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

TASK = "overview"
MOST_CELLS = 200_000
"""The first map of more cells is drawn when its button is pressed."""


def finished_overview(dataset: str) -> Run | None:
    """Return the newest finished first map of a dataset."""
    return next((run for run in _overviews(dataset) if run.state == "done"), None)


def begin_first_map(dataset: str) -> None:
    """Hand the first map of a dataset in, unless there is one, or it takes long; nothing waits for it."""
    with suppress(ScvizError):  # what is wrong is said where maps are shown
        info = state.workspace().dataset(dataset)
        if info.n_cells <= MOST_CELLS and not _reason_against(info) and not _overviews(dataset):
            _submit(dataset)


def watch_first_map(dataset: DatasetInfo, *, key: str = "first_map") -> None:
    """Begin the first map if need be, and say how far it is; nothing once it is there.

    Parameters
    ----------
    key
        Begins the keys of the widgets.
    """
    begin_first_map(dataset.id)
    runs, against = _overviews(dataset.id), _reason_against(dataset)
    last = runs[0] if runs else None
    if against:
        st.info(against)
    elif last is None:
        cells = counted(dataset.n_cells, "cell")
        _offer(
            f"The first map of {cells} takes minutes of this machine, so it is not drawn by itself.",
            "Draw the first map",
            key=key,
            act=partial(_submit, dataset.id),
        )
    elif last.state in OPEN:
        _live(last.id, key)
    elif last.state != "done":
        said = escaped(" ".join(part for part in (last.message, last.hint) if part))
        _offer(
            f"**First map: {WORDS[last.state].lower()}.** {said}",
            "Try again",
            key=key,
            act=partial(_resume, last.id),
        )


def draw_again(request: Request) -> None:
    """Hand in a first map with other settings."""
    with suppress(ScvizError):
        state.queue().submit(TASK, request, state.owner())


def _overviews(dataset: str) -> list[Run]:
    """List the first maps of a dataset, the newest first."""
    runs = state.queue().runs(owner=state.owner(), task=TASK)
    return [run for run in runs if run.request.get("dataset") == dataset]


def _submit(dataset: str) -> None:
    draw_again(Request(dataset=dataset))


def _resume(run: str) -> None:
    with suppress(ScvizError):  # its row says what is wrong
        state.queue().resume(run)


def _reason_against(dataset: DatasetInfo) -> str:
    """Say why there can be no map; empty if there can."""
    for n, fewest, noun in ((dataset.n_cells, NEEDS.cells, "cell"), (dataset.n_genes, NEEDS.genes, "gene")):
        if n < fewest:
            return f"A map takes {fewest} {noun}s or more; this dataset has {n:,}."
    return ""


def _offer(reason: str, label: str, *, key: str, act: Callable[[], None]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(reason)
        st.button(label, key=f"{key}_draw", on_click=act)


@st.fragment(run_every=1.0)
def _live(run_id: str, key: str) -> None:
    """Show how far a first map is; the page runs again once when it ends."""
    run = state.queue().get(run_id)
    if run.state not in OPEN:
        st.rerun()
    left, right = st.columns([9, 1], vertical_alignment="center")
    how_far = f" · {run.done:,} of {run.total:,}" if run.total else ""
    stage = run.stage or (WORDS["queued"] if run.state == "queued" else "Starting")
    left.progress(run.fraction, text=f"First map of these cells: {escaped(stage)}{how_far}")
    right.button(
        "Stop",
        key=f"{key}_stop",
        on_click=state.queue().stop,
        args=(run_id,),
        disabled=run.stop_requested,
        width="stretch",
    )
