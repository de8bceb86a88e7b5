"""In which types of cells each regulon is active."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.show import figure, table
from pages.components.widgets import one_of
from scviz.metrics.evidence import LEVEL
from scviz.plots.regulons import regulons_figure
from scviz.tasks.scenic import Result

MOST_DRAWN = 40


def draw_types(result: Result, footer: str) -> None:
    """Draw and list how specific for each type, or how active in it, regulons are."""
    if not result.types:
        st.info("Name a column with known cell types to see in which of them each regulon is active.")
        return
    shown = one_of("Shown", {"rss": "Specificity", "mean": "Mean activity"}, key="heat_shown")
    values = (result.rss if shown == "rss" else result.mean_auc).T  # (R, T)
    beyond = (result.rss_fdr <= LEVEL).T if shown == "rss" else None
    most = np.nan_to_num(result.rss.T, nan=0.0).max(axis=1)
    rows = np.sort(np.argsort(-most, kind="stable")[:MOST_DRAWN])
    drawing = regulons_figure(
        values[rows],
        [result.regulons[i].name for i in rows],
        result.types,
        title="Specificity (RSS)" if shown == "rss" else "Activity (AUCell)",
        beyond=None if beyond is None else beyond[rows],
        dark=state.dark(),
    )
    height = 250 + 18 * len(rows)
    figure(
        drawing, key="heat", name="regulons_in_types", alt="Regulons in types", height=height, footer=footer
    )
    if shown != "rss":
        st.caption("Mean over the cells of a type; 1 is the most that a set of this size can reach.")
    else:
        n_beyond = int((result.rss_fdr <= LEVEL).sum())
        st.caption(
            "From 0.17 to 1. A dot: more specific than where types are given to cells at random, at a false discovery "
            f"rate of 5 % over all {result.rss.size:,} squares; {n_beyond:,} have one."
        )
    if len(result.regulons) > MOST_DRAWN:
        st.caption(f"The {MOST_DRAWN} most specific of {len(result.regulons):,} regulons are drawn.")
    frame = pd.DataFrame(values, columns=list(result.types))
    frame.insert(0, "Regulon", [one.name for one in result.regulons])
    table(
        frame,
        key="heat_table",
        name=f"regulons_{shown}",
        height=220,
        column_config=dict.fromkeys(result.types, DIGITS),
    )
