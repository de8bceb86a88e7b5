"""Time and memory of a run, estimated before it is started."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.job_panel import OPEN, duration
from pages.components.text import escaped
from scviz.tasks import pricing
from scviz.workspace.records import fingerprint, to_json

LONG_SECONDS = 600.0
"""From here on the page warns before Run."""


def price(task: str, request: Any) -> bool:
    """Show minutes and GB of a run, from a short timed trial; return whether it fits into memory.

    The trial runs beside the page; until it has answered, the run may be started without one.
    """
    question = pricing.question(task, request)
    asked = f"price_{fingerprint(to_json(question))}"
    trial = state.kept(asked)
    if trial is None:  # asked once in a session, so that a trial that fails is not tried for ever
        trial = state.queue().submit("pricing", question, state.owner()).run
        state.keep(asked, trial)
    row = state.queue().get(trial)
    answer: pricing.Result | None = state.queue().result(trial) if row.state == "done" else None
    fits = answer is None or answer.price.gigabytes < answer.available_gb
    quiet = fits and (answer is None or answer.price.seconds <= LONG_SECONDS)
    with st.container(key="price", height=64 if quiet else "content", border=False):
        if row.state in OPEN:
            _waiting(trial)
        elif answer is None:
            st.caption(f"No estimate: {escaped(row.message)}")
        else:
            _price(answer)
    return fits


@st.fragment(run_every=1.0)
def _waiting(trial: str) -> None:
    if state.queue().get(trial).state not in OPEN:
        st.rerun()
    st.caption("Estimating time and memory …")


def _price(answer: pricing.Result) -> None:
    cost = answer.price
    text = f"About **{duration(cost.seconds)}** and **{cost.gigabytes:.1f} GB** on this machine."
    if cost.gigabytes >= answer.available_gb:
        st.error(
            f"{text} Only {answer.available_gb:.1f} GB may be used: take smaller batches or a smaller model."
        )
    elif cost.seconds > LONG_SECONDS:
        st.warning(
            f"{text} That is long: it goes on when you leave, and can be stopped and resumed. Fewer cells, genes, "
            "methods or epochs, or a smaller model, take less."
        )
    else:
        st.caption(text, help=f"{escaped(cost.how)}. Memory that may be used: {answer.available_gb:.1f} GB.")
