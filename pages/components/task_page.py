"""What every page of a task has: the question on the left, its run and its result on the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import confirmed, is_worthwhile
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.show import errors_in_words
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import to_json

Ask = Callable[[DatasetInfo, CheckpointInfo | None, Run | None], Any]
"""Draws the form, set to the question of the run beside it, and gives the Request; None where something is missing."""


def task_page(
    task: str,
    ask: Ask,
    show: Callable[[Run], None],
    *,
    nothing_open: str,
    nothing_run: str,
    reads_a_model: bool = True,
    own_checkpoint: bool = True,
    estimated: bool = True,
    widths: Sequence[int] = (4, 11),
    while_running: Callable[[str], None] | None = None,
    changes_nothing: tuple[str, ...] = (),
) -> None:
    """Draw a page: ask, hand in, watch, show.

    Parameters
    ----------
    show
        Draws the result of a finished run.
    nothing_open, nothing_run
        What the page says before a dataset is open, and before there is a run.
    reads_a_model
        Whether it needs a checkpoint.
    own_checkpoint
        Whether its results belong to one checkpoint, so that another one shows its own.
    estimated
        Whether time and memory are estimated first.
    while_running
        Draws what a run that is under way, or ended without a result, has found so far, by its id.
    changes_nothing
        Fields of the Request that do not change the answer.
    """
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    if dataset is None or (reads_a_model and checkpoint is None):
        st.info(nothing_open)
        st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
        st.stop()
    run = shown_run(task, dataset, checkpoint if own_checkpoint else None)
    left, right = st.columns(widths, gap="medium")
    with left, errors_in_words():
        request = ask(dataset, checkpoint, run)
        if request is not None:
            hand_in(task, request, run=run, estimated=estimated, changes_nothing=changes_nothing)
    with right, errors_in_words():
        if run is None:
            st.info(nothing_run)
            st.stop()
        run = job_panel(run.id)
        if run.state == "done":
            show(run)
        elif while_running is not None:
            while_running(run.id)


def shown_run(task: str, dataset: DatasetInfo, checkpoint: CheckpointInfo | None) -> Run | None:
    """Return the run whose result a page shows, if there is one."""
    run_id = state.current_run(task, dataset.id, checkpoint.id if checkpoint else None)
    return state.queue().get(run_id) if run_id else None


def hand_in(
    task: str,
    request: Any,
    *,
    run: Run | None,
    estimated: bool = True,
    label: str = "Run",
    changes_nothing: tuple[str, ...] = (),
) -> None:
    """Estimate a request and offer to run it; say where it differs from the question of the result beside it."""
    request = confirmed(request)
    ready = is_worthwhile(task, request)
    if estimated and ready:
        asked = replace(request, name="any") if hasattr(request, "name") else request  # a name costs nothing
        ready = price(task, asked)
    if run is not None and differs(to_json(request), run.request, (*changes_nothing, "few_genes")):
        st.caption(
            ":orange-badge[:material/edit: Changed: press Run] The result beside answers the question before."
        )
    if st.button(label, type="primary", key="run", width="stretch", disabled=not ready):
        submitted = state.queue().submit(task, request, state.owner())
        state.show_run(submitted.run)
        state.keep("cached", submitted.run if submitted.cached else None)
        st.rerun()


def differs(
    asked: Mapping[str, Any], answered: Mapping[str, Any], changes_nothing: Sequence[str] = ()
) -> bool:
    """Tell whether two questions differ in what both of them hold.

    Examples
    --------
    >>> differs({"seed": 1, "new": 2}, {"seed": 1})
    False
    >>> differs({"seed": 1}, {"seed": 2})
    True
    """
    both = (asked.keys() & answered.keys()) - set(changes_nothing)
    return any(asked[name] != answered[name] for name in both)
