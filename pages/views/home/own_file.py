"""Try it on a file of one's own: taken here, opened on the Data page."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.frame import PAGES
from pages.components.pick_file import hand_over, uploaded
from pages.components.show import errors_in_words


def own_file() -> None:
    """Take files from the browser and go on to their card; files of the server are chosen there."""
    page = PAGES["data"]
    st.markdown("#### Try it on your own file")
    with errors_in_words():
        path = uploaded()
        if path is not None:
            hand_over(path)
            st.switch_page(page.file)
    st.page_link(
        page.file,
        label="A file of this server, or an address",
        icon=":material/folder_open:",
        query_params=state.link(),
    )
