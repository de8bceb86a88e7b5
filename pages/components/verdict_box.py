"""The first line of every result: what was found, how sure it is, and what limits it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from pages.components import badges, state
from pages.components.show import escaped
from scviz.jobs.shipped import how_made
from scviz.metrics.evidence import Outcome
from scviz.workspace.database import Run
from scviz.workspace.provenance import provenance

BOXES = {
    "better": (st.success, ":material/check_circle:"),
    "worse": (st.warning, ":material/trending_down:"),
    "none": (st.info, ":material/drag_handle:"),
    "unknown": (st.info, ":material/help:"),
}
FEW = 2
"""So many sentences are read as they stand."""


def verdict_box(
    outcome: Outcome, sentence: str, *, run: Run, notes: Sequence[str] = (), meaning: str = ""
) -> None:
    """Say what a run found.

    Parameters
    ----------
    outcome
        Colors the box: green for better alone.
    sentence
        Number, compared with what, on which cells, how sure.
    notes
        What else to know, a sentence each.
    meaning
        What the number is, for the tooltip.
    """
    show, icon = BOXES[outcome]
    show(in_lines(sentence), icon=icon)
    known = provenance(state.workspace(), run.request)
    shown = " ".join(
        (
            *([badges.DEMO] if known.demo else []),
            *([badges.SIMULATED] if known.simulated else []),
            *([badges.SEEN] if known.seen else []),
        )
    )
    again = "Answered from the finished run." if state.kept("cached") == run.id else ""
    rest = [shown, *(escaped(note) for note in (*notes, how_made(run), again))]
    words = " ".join(part for part in rest if part)
    if words:
        st.caption(words, help=" ".join(map(escaped, filter(None, (meaning, *known.sentences)))) or None)


def in_lines(verdict: str) -> str:
    """Write a verdict as markdown: what it says first, and below it a line for each further sentence.

    Examples
    --------
    >>> print(in_lines("Found 3. Of these 2 hold. scGPT is worse by 0.2."))
    Found 3.
    <BLANKLINE>
    - Of these 2 hold.
    - scGPT is worse by 0.2.
    """
    first, *rest = [escaped(one) for one in re.split(r"(?<=\.) +(?=[A-Z]|sc[A-Z])", verdict)]
    if len(rest) < FEW:
        return " ".join([first, *rest])
    return f"{first}\n\n" + "\n".join(f"- {line}" for line in rest)


def footer(run: Run) -> str:
    """Write the small print of figures and files: dataset, checkpoints, seed, run, and what limits them."""
    known = provenance(state.workspace(), run.request)
    seed = run.request.get("seed")
    parts = (
        known.dataset,
        ", ".join(known.checkpoints),
        known.mark,
        "" if seed is None else f"seed {seed}",
        f"run {run.id}",
    )
    return " · ".join(part for part in parts if part)
