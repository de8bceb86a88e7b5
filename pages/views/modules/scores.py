"""Scores of modules: in types of cells, and in each cell."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, HUNDREDTH
from pages.components.show import download, figure, table
from pages.views.modules.tables import height_of
from scviz.datasets.columns import cell_names
from scviz.plots.modules import module_scores_figure
from scviz.tasks.modules import Result
from scviz.tasks.modules.files import (
    cell_columns,
    standardized,
)
from scviz.workspace.csv_files import frame_csv
from scviz.workspace.database import Run

CELLS_HELP = (
    "used: whether a cell was used to find the modules or to judge them. told: whether types were told apart in it. "
    "gain over: what a cell that judges says of the gain over another method; the gain is the mean."
)


def draw_types(result: Result, footer: str) -> None:
    """Draw mean scores in each type, and list how well a score tells it from all other cells."""
    if not result.types:
        st.info("Choose a column to compare scores between, to see in which cells each module is active.")
        return
    names = [one.name for one in result.modules]
    means = result.mean_scores.T  # (M, T)
    drawing = module_scores_figure(standardized(result), means, names, types=result.types, dark=state.dark())
    height = 250 + 18 * len(names)
    figure(drawing, key="heat", name="modules_in_types", alt="Modules in types", height=height, footer=footer)
    st.caption(
        "Each row goes from its lowest to its highest type, as published, however small the difference is: the numbers "
        "below say how well a score tells a type from all other cells (AUROC), in cells that did not make the modules. "
        "0.5 is chance."
    )
    frame = pd.DataFrame(result.auroc.T, columns=list(result.types))
    frame.insert(0, "Module", names)
    columns = dict.fromkeys(frame.columns[1:], HUNDREDTH)
    table(frame, key="auroc", name="modules_auroc", height=height_of(frame), column_config=columns)


def scores_of_cells(run: Run, result: Result) -> None:
    """Show the scores of the first cells, and offer those of all."""
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame({"cell": list(names)} | cell_columns(result))
    st.caption(
        f"Score of {len(result.modules):,} modules in {len(frame):,} cells; the first ten are shown.",
        help=CELLS_HELP,
    )
    digits = dict.fromkeys(frame.select_dtypes("float").columns, DIGITS)
    st.dataframe(frame.head(10), hide_index=True, key="scores", column_config=digits)
    write = partial(frame_csv, frame)
    download("CSV of all cells", write, name="module_scores.csv", key="modules_csv_module_scores")
