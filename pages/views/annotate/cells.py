"""The name of every cell, with how sure the model is of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH
from pages.components.export import annotated_file
from pages.components.show import table
from scviz.datasets.columns import cell_names
from scviz.datasets.label_terms import label_terms
from scviz.tasks.annotation import Result
from scviz.tasks.annotation.tables import cells
from scviz.workspace.database import Run

TWO_DIGITS = dict.fromkeys(("confidence", "confidence before", "certainty", "typical"), HUNDREDTH)


def cells_of(run: Run, result: Result, threshold: float) -> None:
    """Show a row for each cell, and offer a copy of the file with the names.

    Parameters
    ----------
    threshold
        Least confidence of a name, chosen beside; 0 names all.
    """
    folder = state.workspace().dataset_folder(run.request["dataset"])
    terms = label_terms(folder, result.types, run.request["label_key"])
    columns, rows = cells(result, [one.term for one in terms])
    frame = pd.DataFrame(rows, columns=columns)
    names = cell_names(folder)
    frame.insert(0, "cell", pd.Series(names))
    frame.loc[frame["confidence"] < threshold, "named"] = ""
    table(frame, key="cells", name="cell_types", height=360, column_config=TWO_DIGITS)
    said = "Confidence: probability of the type. Certainty: 1 where one type has all of it, 0 where all are alike."
    if result.n_train:
        said += f" Below {threshold:.2f} unnamed." if threshold else ""
        said += " Cells that were trained on are named too; only those held out say how good the names are."
    st.caption(said)
    annotated_file(run, terms)
