"""Colors that the user gives to the values of a column by hand; they stay with the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from scviz.workspace.colors import forget_colors, give_color, read_colors


def choose_colors(place: DeltaGenerator, folder: Path, column: str, *, drawn: Mapping[str, str]) -> None:
    """Let the user change the color of a value.

    Parameters
    ----------
    drawn
        The color of each value as it is drawn now.
    """
    if state.person().role == "viewer":
        return
    with place.popover("Colors", icon=":material/palette:", key="hand_colors"):
        value = st.selectbox("Color of", list(drawn), key=f"hand_value_{column}")
        key = _key(folder, column, value)
        st.color_picker("Color", drawn[value], key=key, on_change=_give, args=(folder, column, value))
        if read_colors(folder).get(column):
            st.button("Reset all", key="hand_reset", on_click=_reset, args=(folder, column, *drawn))
        st.caption("Kept with the dataset, and written into copies of the file that you save.")


def _give(folder: Path, column: str, value: str) -> None:
    color = str(state.value_of(_key(folder, column, value)))
    give_color(state.workspace().folder_to_change(folder.name), column, value=value, color=color)


def _key(folder: Path, column: str, value: str) -> str:
    return f"hand_color_{folder.name}_{column}_{value}"


def _reset(folder: Path, column: str, *values: str) -> None:
    forget_colors(state.workspace().folder_to_change(folder.name), column)
    for value in values:
        state.forget(_key(folder, column, value))
