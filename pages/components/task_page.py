"""What every page of a task has: the question on the left, its run and its result on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import confirmed, idle
from pages.components.job_panel import job_panel
from pages.components.missing import DATA, ICONS, Missing, draw_missing
from pages.components.price import price
from pages.components.published_panel import published_panel
from pages.components.question_link import differs, link_question
from pages.components.show import errors_in_words, escaped
from scviz.errors import ScvizError
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import to_json

READ_BY_MODELS = ("annotation", "in_silico", "perturbation", "modules", "attention_network", "enhancement")
"""Tasks on whose pages published weights are offered."""
Ask = Callable[[DatasetInfo, CheckpointInfo | None, Run | None], Any]
"""Draws the form, set to the question of the run beside it, and gives the Request, or what is missing."""


def task_page(
    task: str,
    ask: Ask,
    show: Callable[[Run], None],
    *,
    nothing_open: str,
    nothing_run: str,
    reads_a_model: bool = True,
    own_checkpoint: bool = True,
    estimated: bool | Callable[[Any], bool] = True,
    widths: Sequence[int] = (4, 11),
    while_running: Callable[[str], None] | None = None,
    changes_nothing: tuple[str, ...] = (),
    linked: bool = False,
    above: Callable[[], None] = lambda: None,
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
        Whether time and memory are estimated first, or what tells it of a Request.
    while_running
        Draws what a run that is under way, or ended without a result, has found so far, by its id.
    changes_nothing
        Fields of the Request that do not change the answer.
    linked
        Whether the question stands in the address before it is handed in.
    above
        Draws what stands above the question.
    """
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    if dataset is None or (reads_a_model and checkpoint is None):
        st.info(nothing_open)
        st.page_link(DATA, label="Open a dataset", icon=ICONS[DATA])
        st.stop()
    run = shown_run(task, dataset, checkpoint if own_checkpoint else None)
    left, right = st.columns(widths, gap="medium")
    with left, errors_in_words():
        above()
        request = asked_or_missing(lambda: ask(dataset, checkpoint, run))
        if linked:
            link_question(task, request, run)
        hand_in(task, request, run=run, estimated=estimated, changes_nothing=changes_nothing)
        if task in READ_BY_MODELS:
            published_panel(task, request, dataset=dataset, checkpoint=checkpoint)
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


def asked_or_missing(ask: Callable[[], Any]) -> Any:
    """Draw a form and return its Request; what it refuses is missing."""
    try:
        return ask()
    except ScvizError as error:
        return Missing(reason=f"{error} {error.hint}", wrong=True)


def hand_in(
    task: str,
    request: Any,
    *,
    run: Run | None,
    estimated: bool | Callable[[Any], bool] = True,
    label: str = "Run",
    changes_nothing: tuple[str, ...] = (),
) -> None:
    """Estimate a request and offer to run it; say where it differs from the question of the result beside it.

    The button is always there: what stands in its way is said in front of it, with the way out.

    Parameters
    ----------
    request
        The Request, or what is missing for it.
    """
    lacks = request if isinstance(request, Missing) else None
    if lacks is None:
        request = confirmed(request)
        lacks = idle(task, request)
    if lacks is not None:
        draw_missing(lacks)
        st.button(
            label, type="primary", key="run", width="stretch", disabled=True, help=escaped(lacks.reason)
        )
        return
    ask_first = estimated(request) if callable(estimated) else estimated
    ready = price(task, request) if ask_first else True
    if run is not None and differs(to_json(request), run.request, (*changes_nothing, "few_genes")):
        st.caption(
            ":orange-badge[:material/edit: Changed: press Run] The result beside answers the question before."
        )
    if st.button(label, type="primary", key="run", width="stretch", disabled=not ready):
        submitted = state.queue().submit(task, request, state.owner())
        state.show_run(submitted.run)
        state.keep("cached", submitted.run if submitted.cached else None)
        st.rerun()
