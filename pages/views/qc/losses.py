"""What is lost by the thresholds: by cell type and by batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.show import figure, table
from scviz.datasets.labels import cell_labels
from scviz.metrics.thresholds import Loss, losses
from scviz.plots.quality import MOST_GROUPS, losses_figure
from scviz.workspace import DatasetInfo


def losses_by(dataset: DatasetInfo, column: str | None, kept: NDArray[np.bool_]) -> tuple[Loss, ...]:
    """Count what each group of a column loses of (N,) cells; nothing without a column."""
    if not column:
        return ()
    labels = cell_labels(state.workspace().dataset_folder(dataset.id), column)
    return losses(kept, labels.codes, labels.names)


def show_losses(found: tuple[Loss, ...], column: str, *, key: str, footer: str) -> None:
    """Draw and list what each group loses."""
    frame = pd.DataFrame(
        {
            column: [one.name for one in found],
            "Cells": [one.n for one in found],
            "Lost": [one.lost for one in found],
            "Lost (%)": [100 * one.share for one in found],
            "Kept": [one.n - one.lost for one in found],
        }
    )
    left, right = st.columns([6, 5])
    with left:
        drawing = losses_figure(found, dark=state.dark())
        alt = f"Share of cells that each {column} keeps and loses"
        height = 120 + 24 * min(len(found), MOST_GROUPS)
        figure(drawing, key=f"{key}_bars", name=f"qc_lost_by_{key}", alt=alt, height=height, footer=footer)
    with right:
        percent = {"Lost (%)": st.column_config.NumberColumn(format="%.1f")}
        table(frame, key=f"{key}_lost", name=f"qc_lost_by_{key}", column_config=percent)
