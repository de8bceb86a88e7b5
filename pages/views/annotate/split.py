"""A split of one's own: which cells are trained on and which judge."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.widgets import Form
from scviz.datasets.own_cell_split import LAYOUT, keep_split
from scviz.datasets.own_split import says_parts
from scviz.workspace import DatasetInfo


def pick_own_split(dataset: DatasetInfo, form: Form) -> dict[str, str]:
    """Offer columns that say a part, and a file; returns the field of the Request that is chosen, empty for none.

    Raises
    ------
    RequestError
        If the file cannot be read as a split of these cells.
    """
    columns = [one.name for one in dataset.columns if says_parts(one.values)]
    column = form.column("split_column", columns) if columns else None
    file = st.file_uploader(
        "Own split: cell and part",
        type=["csv", "tsv", "txt"],
        max_upload_size=100,
        help=f"A line for each cell: its name and its part. {LAYOUT}",
        key="annotation_split_file",
    )
    if file is not None:
        folder = state.workspace().dataset_folder(dataset.id)
        return {"split_file": keep_split(file.getvalue().decode("utf-8", "replace"), folder)}
    if column:
        return {"split_column": column}
    return _as_asked(form)


def _as_asked(form: Form) -> dict[str, str]:
    """Take the file of the result beside, until it is let go of."""
    name = str(form.asked("split_file", ""))
    if name and st.checkbox(
        "Keep the split file of the result beside", value=True, key="annotation_keep_split"
    ):
        return {"split_file": name}
    return {}
