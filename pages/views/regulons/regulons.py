"""The regulons as a table, and their activity in cells."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, SHARE, SMALL, TENTH
from pages.components.enrich_link import enrich_set
from pages.components.show import download, table
from scviz.datasets.columns import cell_names
from scviz.tasks.scenic import PRUNED, Result
from scviz.tasks.scenic.files import gmt
from scviz.workspace.csv_files import frame_csv
from scviz.workspace.database import Run


def regulons_table(run: Run, result: Result) -> None:
    """List the regulons, and offer to ask what their targets have in common."""
    judged = any(one.n_known >= 0 for one in result.regulons)
    rows = []
    for i, one in enumerate(result.regulons):
        row: dict[str, object] = {"Regulon": one.name, "Targets": len(one.genes)}
        if result.pruned == "motif":
            row |= {"Score": one.score, "Motifs": ", ".join(one.motifs[:5])}
        if judged:
            row |= {
                "Linked": one.n_linked,
                "Known": one.n_known,
                "Known by chance": one.expected,
                "p": one.p,
                "FDR": one.fdr,
            }
        row["Cells in which it is on"] = one.share_on
        if len(result.types):
            own = result.rss[:, i]
            row["Most specific for"] = result.types[int(np.nanargmax(own))] if np.isfinite(own).any() else ""
        rows.append(row | {"Genes": ", ".join(one.genes[:30])})
    columns = {
        "Score": DIGITS,
        "Known by chance": TENTH,
        "p": SMALL,
        "FDR": SMALL,
        "Cells in which it is on": SHARE,
    }
    table(pd.DataFrame(rows), key="regulons", name="regulons", height=340, column_config=columns)
    download("GMT", lambda: gmt(result.regulons), name="regulons.gmt", key="regulons_gmt")
    places = st.columns([3, 2, 4], vertical_alignment="bottom")
    names = [one.name for one in result.regulons]
    chosen = places[0].selectbox("What do its targets have in common?", names, key="enrich_regulon")
    with places[1]:
        enrich_set(run, chosen)
    more = "Score: NES of the best motif, less for motifs of relatives. " if result.pruned == "motif" else ""
    if judged:
        more += "p: hypergeometric, of as many known targets among those that were linked. "
    st.caption(
        f"Targets: {PRUNED[result.pruned]}. {more}On: activity above the dip between two groups of "
        "cells, or above the mean by two standard deviations where there is one group."
    )


def activity_of_cells(run: Run, result: Result) -> None:
    """Show the activity in the first cells, and offer that of all."""
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame(result.auc, columns=[one.name for one in result.regulons])
    frame.insert(0, "cell", list(names))
    st.caption(
        f"Activity (AUCell) of {result.auc.shape[1]:,} regulons in {len(frame):,} cells; the first ten are shown."
    )
    st.dataframe(frame.head(10), hide_index=True, key="activity")
    write = partial(frame_csv, frame)
    download("CSV of all cells", write, name="regulon_activity.csv", key="activity_csv")
