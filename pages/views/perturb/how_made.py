"""How a prediction of a screen was made: cells, methods, refusals, parts of the split."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.job_panel import duration
from pages.components.show import escaped, table
from scviz.metrics.evidence import counted
from scviz.tasks.perturbation import Outcome, Result

MOST_REFUSALS = 5


def how_it_was_made(result: Result) -> None:
    """Show what was learned from, and what each method did."""
    with st.expander("How it was made"):
        st.caption(
            f"{counted(result.n_cells, 'cell')}, {result.n_control:,} of them control, "
            f"{counted(len(result.genes), 'gene')}; "
            f"{result.n_left_out:,} cells were left out. Took {duration(result.seconds)}."
        )
        for why, n_cells in result.left_out.items():
            st.caption(escaped(f"Left out: {counted(n_cells, 'cell')}, since {why}."))
        for outcome in result.outcomes.values():
            if outcome.method is not None:
                _method(outcome)
        parts = {"learned from": result.train, "to stop by": result.validation, "left out": result.dropped}
        rows = [
            {"perturbation": "+".join(one) or "control", "part": part}
            for part in parts
            for one in parts[part]
        ]
        rows += [{"perturbation": one.name, "part": "judged by"} for one in result.tested]
        table(pd.DataFrame(rows), key="split_table", name="split", height=260)


def _method(outcome: Outcome) -> None:
    st.markdown(f"**{escaped(outcome.title)}** · {duration(outcome.seconds)}")
    gain = outcome.gain.sentence if outcome.gain else ""
    how = outcome.method.card.how if outcome.method else ""
    for words in (how, f"{gain} {outcome.beside}".strip(), *outcome.notes):
        if words:
            st.caption(escaped(words))
    for refusal in outcome.refused[:MOST_REFUSALS]:
        st.caption(escaped(f"Not predicted: {'+'.join(refusal.genes)}. {refusal.reason}"))
    if len(outcome.refused) > MOST_REFUSALS:
        st.caption(f"And {len(outcome.refused) - MOST_REFUSALS:,} others.")
