"""The name of every cell, with how sure the model is of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH
from pages.components.export import annotated_file
from pages.components.show import escaped, table
from scviz.datasets.columns import cell_names
from scviz.datasets.label_terms import label_terms
from scviz.metrics.evidence import Gain
from scviz.metrics.rejection import leave_unnamed
from scviz.tasks.annotation import MODEL, Result
from scviz.tasks.annotation.tables import cells
from scviz.workspace.database import Run

TWO_DIGITS = dict.fromkeys(("confidence", "certainty"), HUNDREDTH)


def cells_of(run: Run, result: Result, gain: Gain | None) -> None:
    """Show a row for each cell, and offer a copy of the file with the names."""
    threshold = _threshold(result, gain) if result.n_train and gain else 0.0
    columns, rows = cells(result)
    frame = pd.DataFrame(rows, columns=columns)
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame.insert(0, "cell", pd.Series(names))
    frame.loc[frame["confidence"] < threshold, "named"] = "unnamed"
    table(frame, key="cells", name="cell_types", height=360, column_config=TWO_DIGITS)
    said = "Confidence: probability of the type. Certainty: 1 where one type has all of it, 0 where all are alike."
    if result.n_train:
        said += " Cells that were trained on are named too; only those held out say how good the names are."
    st.caption(said)
    folder = state.workspace().dataset_folder(run.request["dataset"])
    annotated_file(run, label_terms(folder, result.types, run.request["label_key"]))


def _threshold(result: Result, gain: Gain) -> float:
    """Choose the least confidence of a name, and say what it does to the held-out cells."""
    threshold = st.slider(
        "Leave cells below this confidence unnamed",
        0.0,
        1.0,
        0.0,
        0.05,
        help="A cell that looks like none of the known types may be of a new one. Nothing is trained again. "
        "The authors of scBERT name every cell, too, unless asked to look for new types; then they leave cells "
        "below 0.50 unnamed.",
        key="threshold",
    )
    doubt = leave_unnamed(
        result.probabilities.max(axis=1),
        result.truth,
        result.predicted[MODEL],
        baseline=result.predicted[gain.baseline],
        threshold=threshold,
    )
    if doubt.unnamed == 1:
        st.caption(f"With {threshold:.2f}: all held-out cells unnamed.")
    else:
        st.caption(
            f"With {threshold:.2f}: {100 * doubt.unnamed:.0f} % of the held-out cells unnamed, accuracy of the others "
            f"{doubt.accuracy:.2f} (baseline on the same cells, {escaped(gain.baseline)}: "
            f"{doubt.baseline_accuracy:.2f}; the model with every cell named: {doubt.accuracy_of_all:.2f}). "
            "The file below keeps every name with its confidence."
        )
    return float(threshold)
