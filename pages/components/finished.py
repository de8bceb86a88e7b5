"""Results of finished runs, read once for all who look at them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from scviz.workspace.database import Run


def result_of(run: Run) -> Any:
    """Return the Result of a finished run; it is shared, so nobody may change it."""
    return _read(run.id, run.ended)


@st.cache_resource(max_entries=24)
def _read(run_id: str, ended: float) -> Any:  # noqa: ARG001 - a run that was resumed ended anew
    return state.queue().result(run_id)
