"""The button that hands a request in and shows its run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state


def run_button(task: str, request: Any, *, ready: bool, label: str = "Run") -> None:
    """Offer to run a request; pressed, the page shows the run."""
    if st.button(label, type="primary", key="run", width="stretch", disabled=not ready):
        submitted = state.queue().submit(task, request, state.owner())
        state.show_run(submitted.run)
        state.keep("cached", submitted.run if submitted.cached else None)
        st.rerun()
