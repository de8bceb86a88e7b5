"""The names that a file has of its cells: their terms, the names beside them, and cells that may be named wrong."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.missing import DATA, ICONS
from pages.components.show import errors_in_words
from pages.components.widgets import pick, tabs
from pages.views.annotate.audit import audit
from pages.views.annotate.ontology import ontology
from pages.views.annotate.others import Names, other_names
from scviz.datasets.labels import cell_labels
from scviz.datasets.name_relations import named_columns


def names_in_file() -> None:
    """Draw what can be asked of a column of names; no model is needed."""
    dataset = state.current_dataset()
    if dataset is None:
        st.info("Open a dataset on the Data page first.")
        st.page_link(DATA, label="Open a dataset", icon=ICONS[DATA])
        return
    columns = [one.column for one in named_columns(dataset.columns)]
    if not columns:
        st.info(
            "No column of this dataset names types of cells. Name groups on Explore, or learn types from a reference."
        )
        return
    column = pick("Column with names", columns, key=f"in_file_{dataset.id}")
    with errors_in_words():
        labels = cell_labels(state.workspace().dataset_folder(dataset.id), column)
        sizes = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names))
        terms, others, wrong = tabs(["Ontology", "Other names", "Audit"], key="in_file_tabs")
        with terms:
            ontology(dataset.id, dict(zip(labels.names, sizes.tolist(), strict=True)), column=column)
        with others:
            own = Names(names=labels.names, codes=labels.codes, title=column, column=column)
            other_names(dataset.id, own)
        with wrong:
            audit(dataset.id, column)
