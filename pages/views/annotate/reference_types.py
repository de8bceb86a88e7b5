"""How many cells have each name, and how sure their names are."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SHARE
from pages.components.show import escaped, figure, table
from scviz.datasets.cell_ontology import label_of
from scviz.plots.distribution import distribution_figure
from scviz.tasks.transfer import Result
from scviz.tasks.transfer.held_out import FEWEST_NAMED, WEAK
from scviz.tasks.transfer.measured import measured_with
from scviz.tasks.transfer.tables import types_table
from scviz.tasks.transfer.verdict import weak_names

TITLES = {
    "type": "Type",
    "cells": "Cells",
    "said": "Name",
    "right": "Right",
    "right_low": "From",
    "right_high": "To",
    "found": "Found",
    "confidence": "Mean confidence",
    "far": "Far",
    "share": "Share",
    "ontology_term_id": "Cell Ontology",
    "named_so": "Held-out cells named so",
    "most_others": "Most others are",
    "of_this_type": "Held-out cells of this type",
    "most_named_instead": "Most others are named",
}
"""In the order of the columns: what a name is worth stands before what it is called elsewhere."""
SHARES = ("Share", "Far", "Right", "From", "To", "Found")
HELD_OUT = (
    f" Right: share of the held-out cells of that name that are of it, with its 95 % interval; below "
    f"{100 * WEAK:.0f} % a name is weak, and of fewer than {FEWEST_NAMED} cells it cannot be told. Found: share of the "
    "held-out cells of that type that get its name. Measured on {}; where a type is rarer than there, fewer of its "
    "names are right."
)


def types_tab(result: Result, method: str, *, footer: str) -> None:
    """Show the table of types and the spread of the confidence."""
    if weak := weak_names(result, method):
        st.warning(escaped(weak), icon=":material/warning:")
    rows = types_table(result, method)
    if not rows:
        st.info("No cell gets a name.")
        return
    found = pd.DataFrame(rows)
    found["ontology_term_id"] = [f"{one} {label_of(one)}" if one else "" for one in found["ontology_term_id"]]
    frame = found.rename(columns=TITLES)[[title for key, title in TITLES.items() if key in found]]
    digits = dict.fromkeys(SHARES, SHARE) | {"Mean confidence": HUNDREDTH}
    known = {title: digit for title, digit in digits.items() if title in frame}
    table(frame, key="transfer_types", name="types_by_reference", column_config=known)
    st.caption(
        "Confidence: probability of the name, calibrated on cells of the reference; of cells that are unlike all of "
        "these it says nothing. Far: beyond 95 % of the reference's own held-out cells."
        + (
            escaped(f"{HELD_OUT.format(result.held_out)} {measured_with(result, method)}")
            if "said" in found
            else ""
        )
    )
    drawing = distribution_figure(
        {"confidence": result.confidence(method)}, title="Confidence of the name", dark=state.dark()
    )
    figure(
        drawing,
        key="transfer_confidence",
        name="confidence",
        alt="How the confidence is spread over the cells",
        height=300,
        footer=footer,
    )
