"""Which of its two questions the page asks: two groups, or the markers of all."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.question_link import linked_task

TWO, MARKERS = "Two groups", "Markers of every group"
KEY = "groups_question"
TASKS = {"group_genes": TWO, "markers": MARKERS}


def question() -> str:
    """Let the user switch; a run in the address that is new here chooses its own question."""
    _follow()
    if state.held(KEY) is None:
        state.preset(KEY, TWO)
    chosen = st.segmented_control(
        "Question",
        [TWO, MARKERS],
        required=True,
        key=KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen or TWO


def _follow() -> None:
    """Set the question to that of a run or a link that is new here."""
    run = state.from_link("run")
    if run and state.kept("groups_run") != run:
        state.keep("groups_run", run)
        task = next((one.task for one in state.queue().runs(owner=state.owner()) if one.id == run), "")
        if task in TASKS:
            state.preset(KEY, TASKS[task])
    if linked_task() in TASKS:
        state.preset(KEY, TASKS[linked_task()])
    if state.from_link("named") or state.from_link("a_column"):
        state.preset(KEY, TWO)
