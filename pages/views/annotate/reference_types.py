"""How many cells have each name, and how sure their names are."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SHARE
from pages.components.show import figure, table
from scviz.datasets.cell_ontology import label_of
from scviz.plots.distribution import distribution_figure
from scviz.tasks.transfer import Result
from scviz.tasks.transfer.tables import types_table


def types_tab(result: Result, method: str, *, footer: str) -> None:
    """Show the table of types and the spread of the confidence."""
    frame = pd.DataFrame(types_table(result, method))
    frame["ontology_term_id"] = [f"{one} {label_of(one)}" if one else "" for one in frame["ontology_term_id"]]
    frame.columns = pd.Index(
        ["Type", "Cell Ontology", "Cells", "Share", "Mean confidence", "Far from the reference"]
    )
    digits = {"Share": SHARE, "Mean confidence": HUNDREDTH, "Far from the reference": SHARE}
    table(frame, key="transfer_types", name="types_by_reference", column_config=digits)
    st.caption(
        "Confidence: probability of the name, calibrated on cells of the reference; of cells that are unlike all of "
        "these it says nothing. Far: beyond 95 % of the reference's own held-out cells."
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
