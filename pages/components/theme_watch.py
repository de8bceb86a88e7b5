"""Figures take the colors of the page: it runs again when the browser turns light or dark."""

from __future__ import annotations

import streamlit as st

from scviz.settings import ROOT

KEY = "theme_watch"
_WATCH = st.components.v2.component(
    "scviz_theme", js=(ROOT / "assets" / "theme" / "watch.js").read_text("utf-8")
)


def follow_theme() -> None:
    """Watch the colors of the page, in an element that nobody sees."""
    _WATCH(key=KEY, on_switched_change=_drawn_anew)


def _drawn_anew() -> None:
    """Nothing more is needed than that the page runs."""
