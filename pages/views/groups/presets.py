"""Questions that fit these data, in one click: two conditions, in all cells or within a type."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from pages.views.groups.pick_group import group_as
from scviz.tasks.group_genes.ahead import Contrast, contrast_of
from scviz.workspace import DatasetInfo

ALL = "all cells"
KEY = "groups_preset"


def presets(dataset: DatasetInfo) -> None:
    """Offer to compare two conditions within each type; nothing where the dataset has no two conditions."""
    contrast = contrast_of(dataset)
    if contrast is None:
        return
    st.pills(
        escaped(f"{contrast.case} against {contrast.control} in"),
        [*contrast.within, ALL],
        format_func=escaped,
        key=KEY,
        on_change=_take,
        args=(contrast,),
        wrap=True,
        help="Sets both groups and the cells below.",
    )


def _take(contrast: Contrast) -> None:
    """Set the question to the pressed one."""
    chosen = state.value_of(KEY)
    if chosen is None:
        return
    group_as("a", {"column": contrast.column, "value": contrast.case})
    group_as("b", {"column": contrast.column, "value": contrast.control})
    state.preset("groups_within", contrast.types if chosen != ALL else ALL)
    if chosen != ALL:
        state.preset(f"groups_within_{contrast.types}", [chosen])
