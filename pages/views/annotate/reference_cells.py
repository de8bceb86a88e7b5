"""The name of every cell by a reference, and a copy of the file with it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH
from pages.components.export import annotated_file
from pages.components.show import table
from scviz.datasets.columns import cell_names
from scviz.tasks.transfer import Result, column_stem
from scviz.tasks.transfer.tables import cells
from scviz.workspace.database import Run


def reference_cells(run: Run, result: Result, method: str, *, threshold: float) -> None:
    """Show a row for each cell, and offer a copy of the file with the names.

    Parameters
    ----------
    threshold
        Least confidence of a name, chosen beside; 0 names all.
    """
    columns, rows = cells(result, method)
    frame = pd.DataFrame(rows, columns=columns)
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame.insert(0, "cell", pd.Series(names))
    stem = column_stem(method)
    if threshold:
        frame.loc[~(frame[f"{stem}_confidence"] >= threshold), f"{stem}_label"] = ""
    digits = dict.fromkeys((f"{stem}_confidence", f"{stem}_distance"), HUNDREDTH)
    table(frame, key="transfer_cells", name="names_by_reference", height=360, column_config=digits)
    st.caption(
        "Confidence: probability of the name. Distance: 1 is as far from its type as 95 % of the reference's own "
        "held-out cells go; a name of a cell beyond is a guess."
        + (f" Below {threshold:.2f} unnamed." if threshold else "")
    )
    annotated_file(run)
