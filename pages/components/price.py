"""Time and memory of a run, estimated before it is started."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.job_panel import OPEN, duration
from scviz.tasks import pricing
from scviz.workspace.records import fingerprint, to_json


def price(task: str, request: Any) -> bool:
    """Show minutes and GB of a run, from a short timed trial; return whether it fits into memory.

    The trial runs beside the page; until it has answered, the run may be started without one.
    """
    question = pricing.Request(task=task, request=to_json(request))
    asked = f"price_{fingerprint(to_json(question))}"
    trial = state.kept(asked)
    if trial is None:  # asked once in a session, so that a trial that fails is not tried for ever
        trial = state.queue().submit("pricing", question, state.owner()).run
        state.keep(asked, trial)
    with st.container(key="price", height=64, border=False):
        _price(trial)
    row = state.queue().get(trial)
    if row.state != "done":
        return True
    result = state.queue().result(trial)
    return bool(result.price.gigabytes < result.available_gb)


@st.fragment(run_every=1.0)
def _waiting(trial: str) -> None:
    if state.queue().get(trial).state not in OPEN:
        st.rerun()
    st.caption("Estimating time and memory …")


def _price(trial: str) -> None:
    row = state.queue().get(trial)
    if row.state in OPEN:
        _waiting(trial)
    elif row.state != "done":
        st.caption(f"No estimate: {row.message}")
    else:
        answer = state.queue().result(trial)
        cost = answer.price
        text = f"About **{duration(cost.seconds)}** and **{cost.gigabytes:.1f} GB** on this machine."
        if cost.gigabytes >= answer.available_gb:
            st.error(
                f"{text} Only {answer.available_gb:.1f} GB are free: use smaller batches or a smaller model."
            )
        else:
            st.caption(text, help=f"{cost.how}. Free memory: {answer.available_gb:.1f} GB.")
