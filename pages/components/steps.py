"""Steps that make a dataset of another one: hand in, watch, go on with the new one, take back."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.first_map import begin_first_map
from pages.components.job_panel import OPEN, job_panel
from pages.components.show import escaped
from scviz.tasks import filtering
from scviz.workspace import DatasetInfo

STEP = "step"


def apply_filter(request: filtering.Request) -> None:
    """Hand a step in; the page goes on with the new dataset when it is made."""
    state.keep(STEP, state.queue().submit("filtering", request, state.owner()).run)
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
    """Say by which step a dataset was made, and offer to take it back; nothing for one opened from a file."""
    if not dataset.parent:
        return
    with st.container(border=True, key="past_step"):
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.markdown(f":material/history: {escaped(dataset.history[-1])}")
        before = state.workspace().dataset(dataset.parent)
        if right.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            width="stretch",
            help=f"Goes back to the {before.n_cells:,} cells and {before.n_genes:,} genes before; nothing of them was "
            "changed.",
        ):
            _open(dataset.parent)


def _open(dataset: str) -> None:
    """Go on with a dataset; the run in the address belongs to the one before."""
    state.remember("dataset", dataset)
    begin_first_map(dataset)
    state.forget_run()
    st.rerun()
