"""Steps that make a dataset of another one: hand in, watch, go on with the new one, take back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.first_map import begin_first_map
from pages.components.job_panel import OPEN, job_panel
from pages.components.show import escaped
from pages.components.undo import undo_keys
from scviz.errors import ScvizError
from scviz.tasks import filtering, mending
from scviz.workspace import DatasetInfo

STEP = "step"


def apply_step(task: str, request: filtering.Request | mending.Request) -> None:
    """Hand a step in; the page goes on with the new dataset when it is made."""
    state.keep(STEP, state.queue().submit(task, request, state.owner()).run)
    st.rerun()


def step_under_way(dataset: DatasetInfo) -> bool:
    """Show the step that was handed in; when it is done, open what it made.

    Returns
    -------
    Whether it is still under way, so that the page waits.
    """
    run_id = state.kept(STEP)
    if run_id is None:
        return False
    run = state.queue().get(run_id)
    if run.state in OPEN:
        job_panel(run_id)
        return True
    state.keep(STEP, None)
    if run.state != "done":
        st.error(f"{escaped(run.message)} {escaped(run.hint)}")
    elif run.request["dataset"] == dataset.id:
        _open(state.queue().result(run_id).dataset)
    return False


def past_steps(dataset: DatasetInfo) -> None:
    """Say by which step a dataset was made, and offer to take it back, or to do again what was taken back last."""
    before = _here(dataset.parent)
    if before is not None:
        with _row("past_step", "history", dataset.history[-1]) as place:
            if place.button(
                "Undo",
                key="undo",
                icon=":material/undo:",
                width="stretch",
                help=f"Goes back to the {before.n_cells:,} cells and {before.n_genes:,} genes before; nothing of them "
                "was changed. (Ctrl+Z)",
            ):
                state.keep(f"undone_{dataset.parent}", dataset.id)
                _open(dataset.parent)
    after = _taken_back(dataset)
    if after is not None:
        with _row("undone_step", "undo", f"Undone: {after.history[-1]}") as place:
            if place.button(
                "Redo",
                key="redo",
                icon=":material/redo:",
                width="stretch",
                help=f"Goes on with the {after.n_cells:,} cells and {after.n_genes:,} genes again. (Ctrl+Shift+Z)",
            ):
                _open(after.id)
    if before is not None or after is not None:
        undo_keys("undo", "redo")


def _taken_back(dataset: DatasetInfo) -> DatasetInfo | None:
    """Return what this session made of a dataset and took back; None if nothing, or it is gone."""
    return _here(state.kept(f"undone_{dataset.id}"))


def _here(dataset: str | None) -> DatasetInfo | None:
    """Return a dataset; None without an id, or where it is gone or somebody else's."""
    try:
        return state.workspace().dataset(dataset) if dataset else None
    except ScvizError:
        return None


@contextmanager
def _row(key: str, icon: str, line: str) -> Iterator[DeltaGenerator]:
    """Draw a framed line and give the place of its button."""
    with st.container(border=True, key=key):
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.markdown(f":material/{icon}: {escaped(line)}")
        yield right


def _open(dataset: str) -> None:
    """Go on with a dataset; the run in the address belongs to the one before."""
    state.remember("dataset", dataset)
    begin_first_map(dataset)
    state.forget_run()
    st.rerun()
