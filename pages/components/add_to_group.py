"""Cells that a result has found, put into a named group by one press."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.coloring import GROUPS
from pages.components.frame import PAGES
from pages.components.group_changes import record_step, who
from pages.components.show import errors_in_words, escaped
from scviz.metrics.evidence import counted
from scviz.workspace.group_history import read_history
from scviz.workspace.groups import LONGEST_NAME, change_group, name_group


def add_to_group(dataset: str, rows: NDArray[np.int64], *, name: str, key: str) -> None:
    """Offer to put cells, (n,) rows, into a group: a new one, or one that is there already; nothing for no cells.

    Parameters
    ----------
    name
        Of the group, to begin with.
    """
    if not len(rows):
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    typed = left.text_input(
        f"Group for {counted(len(rows), 'cell')}",
        name[:LONGEST_NAME],
        max_chars=LONGEST_NAME,
        help="A group of this name gets the cells in addition to those it has. Undo on Explore takes it back.",
        key=f"{key}_name",
    )
    pressed = right.button(
        "Add to the group",
        key=f"{key}_add",
        icon=":material/group_add:",
        width="stretch",
        disabled=not typed.strip(),
    )
    if pressed:
        with errors_in_words():
            _add(dataset, rows, " ".join(typed.split()))


def _add(dataset: str, rows: NDArray[np.int64], name: str) -> None:
    folder = state.workspace().folder_to_change(dataset)
    if name in read_history(folder).groups:
        step = change_group(folder, name, rows, how="add", by=who())
    else:
        step = name_group(folder, name, rows, replace=False, by=who())
    record_step(dataset, step)
    st.success(escaped(f"{step.what}." if step else f"“{name}” has all of these cells already."))
    page, link = PAGES["explore"], state.link() | {"dataset": dataset, "color": GROUPS}
    st.page_link(page.file, label="See it on the map", icon=page.icon, query_params=link)
