"""Watch a run: how far, how long, its curve; stop it, go on with it."""

from __future__ import annotations

import time

import plotly.graph_objects as go
import streamlit as st

from pages.components import state
from pages.components.show import errors_in_words, escaped
from pages.components.trouble import needs_database, pressed
from scviz.jobs.lines import Wait
from scviz.plots.curves import loss_figure
from scviz.plots.plain_text import as_text
from scviz.workspace.database import Run, time_left

OPEN = ("queued", "running")
NOT_RESUMED = ("opening", "checking")
"""Tasks that fail on what is in a file: doing it again gives the same."""
WORDS = {
    "queued": "Waiting for its turn",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "stopped": "Stopped",
    "lost": "Interrupted",
}


def duration(seconds: float) -> str:
    """Write a length of time with sensible digits.

    Examples
    --------
    >>> duration(42), duration(100), duration(5400)
    ('42 s', '1 min 40 s', '1 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def wait_in_words(wait: Wait | None) -> str:
    """Say at which place of the queue a run is, and when it starts.

    Examples
    --------
    >>> wait_in_words(Wait(place=2, seconds=240.0, own_before=1))
    '2nd in the queue, starts in about 4 min'
    >>> wait_in_words(Wait(place=1, seconds=None, own_before=0))
    'Next in the queue; when it starts is not known'
    """
    if wait is None:
        return WORDS["queued"]
    place = "Next" if wait.place == 1 else _ordinal(wait.place)
    if wait.seconds is None:
        return f"{place} in the queue; when it starts is not known"
    return f"{place} in the queue, starts {_roughly(wait.seconds)}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _roughly(seconds: float) -> str:
    """Write when something begins, not more exactly than an estimate is."""
    if seconds < 60:
        return "within a minute"
    minutes = round(seconds / 60)
    return f"in about {minutes} min" if minutes < 60 else f"in about {minutes / 60:.2g} h"


def job_panel(run_id: str, *, key: str = "job") -> Run:
    """Show a run until it ends and return its row; the page goes on below when it is done.

    A run that is under way is looked at every second; the page itself runs again once at the end.

    Parameters
    ----------
    key
        Begins the keys of its widgets: another one for each run that a page may show beside others.
    """
    run = state.queue().get(run_id)
    if run.state in OPEN:
        _live(run_id, key)
    elif run.state != "done":
        _ended(run, key)
    return run


@st.fragment(run_every=1.0)
def _live(run_id: str, key: str) -> None:
    with needs_database():
        run = state.queue().get(run_id)
    if run.state not in OPEN:
        st.rerun()
    wait = state.queue().waits().get(run_id) if run.state == "queued" else None
    with st.container(border=True, key=f"{key}_panel"):
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.progress(run.fraction, text=escaped(_progress_text(run, wait)))
        right.button(
            "Stop",
            key=f"{key}_stop",
            on_click=pressed,
            args=(state.queue().stop, run_id),
            width="stretch",
            disabled=run.stop_requested or not state.queue().hers(run),
        )
        _offer_first(run, wait, key=key)
        if run.stop_requested:
            st.caption("Stopping after this batch. What is done is kept.")
        if trouble := state.queue().trouble(run):
            st.warning(escaped(trouble), icon=":material/hourglass_pause:")
        if run.note:
            st.caption(escaped(run.note))
        curve(run_id)


def _offer_first(run: Run, wait: Wait | None, *, key: str) -> None:
    """Let a run of one's own overtake others of one's own."""
    if wait is None or not wait.own_before or run.owner != state.owner():
        return
    st.button(
        "Run first",
        key=f"{key}_first",
        icon=":material/vertical_align_top:",
        on_click=state.queue().bring_forward,
        args=(run.id,),
        help="Before your other runs that wait. Runs of others keep their places.",
    )


def _progress_text(run: Run, wait: Wait | None) -> str:
    if run.state == "queued":
        return wait_in_words(wait)
    parts = [run.stage or "Starting: loading the libraries"]
    if run.total:
        parts.append(f"{run.done:,} of {run.total:,}")
    if run.rate:
        parts.append(f"{run.rate:,.0f} a second" if run.rate >= 10 else f"{run.rate:,.1f} a second")
    left = time_left(run)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    if run.started:
        parts.append(f"{duration(max(0.0, time.time() - run.started))} so far")
    return " · ".join(parts)


def _ended(run: Run, key: str) -> None:
    """Say why a run has no result, and offer the way on."""
    with st.container(border=True, key=f"{key}_panel"):
        text = f"**{WORDS[run.state]}.** {escaped(run.message)} {escaped(run.hint)}"
        (st.error if run.state == "failed" else st.warning)(text)
        if run.note:
            st.caption(escaped(run.note))
        row = st.container(horizontal=True)
        resumable = run.state != "failed" or run.task not in NOT_RESUMED
        resumable = resumable and state.queue().hers(run)
        if resumable and row.button(
            "Resume", key=f"{key}_resume", type="primary", help="Goes on from what is finished."
        ):
            with errors_in_words():
                state.queue().resume(run.id)
                st.rerun()
        with row.popover("Log"):
            st.code(state.queue().log(run.id)[-4000:] or "The log is empty.", language=None)


def curve(run_id: str) -> None:
    """Draw the loss of a run that trains; nothing for others."""
    version = state.queue().curve(run_id).look()
    if version:
        drawn, each = _drawn(run_id, version, dark=state.dark())
        if drawn is not None:
            st.plotly_chart(
                as_text(drawn), theme=None, key="loss_curve", height=260, alt="Loss during training"
            )
            if each > 1:
                st.caption(f"Each point of training is the mean of {each:,} batches.")


@st.cache_resource(max_entries=64)
def _drawn(run_id: str, version: int, *, dark: bool) -> tuple[go.Figure | None, int]:  # noqa: ARG001 - version: of the curves
    """Draw the curves of a run once for all who look on; tell for how many batches a point stands."""
    held = state.queue().curve(run_id)
    training, checks = held.line("loss"), held.line("validation_loss")
    if not training.x:
        return None, 1
    figure = loss_figure(training.x, training.y, checks.x, validation_losses=checks.y, dark=dark)
    return figure, training.each
