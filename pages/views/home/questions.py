"""The questions that fit the open dataset, each leading to the page that answers it."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.frame import PAGES, RESULT_PAGE
from pages.components.screen_picker import guessed_column
from pages.components.show import escaped
from scviz.datasets.questions import questions
from scviz.workspace import DatasetInfo

MOST = 3
PLACES = {"mending": "data", **RESULT_PAGE}
"""The page that answers a task; genes are replaced on the Data page."""


def ask_next(dataset: DatasetInfo) -> None:
    """Offer the best questions that some page answers."""
    fitting = [one for one in questions(dataset, screen=guessed_column(dataset.id)) if one.task in PLACES][
        :MOST
    ]
    st.markdown("#### Ask these cells")
    for column, question in zip(st.columns(MOST), fitting, strict=False):
        page = PAGES[PLACES[question.task]]
        with column.container(border=True, height="stretch"):
            st.page_link(
                page.file, label=f"**{escaped(question.title)}**", icon=page.icon, query_params=state.link()
            )
            st.caption(escaped(question.why))
