"""Results of finished runs, read once for all who look at them."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from pages.components import state
from scviz.workspace.database import Run

Result = TypeVar("Result")


def result_of(run: Run, kind: type[Result]) -> Result:
    """Return the Result of a finished run; it is shared, so nobody may change it.

    Raises
    ------
    TypeError
        If the run is of another task.
    """
    result = _read(run.id, run.ended)
    if not isinstance(result, kind):
        raise TypeError(f"Run {run.id} of {run.task} has a {type(result).__module__}.Result.")
    return result


@st.cache_resource(max_entries=24)
def _read(run_id: str, ended: float) -> Any:  # noqa: ARG001 - a run that was resumed ended anew
    return state.queue().result(run_id)
