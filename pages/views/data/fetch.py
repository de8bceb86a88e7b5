"""A public file by its address: look at its size, then fetch it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words, escaped
from scviz.datasets.public_address import PLACES, web_address
from scviz.settings import GIGABYTE
from scviz.tasks.fetching import Request

KEPT_LOOK, KEPT_FETCH = "looking_up", "fetching"


def fetch_by_address() -> Path | None:
    """Let the user name a file on the web, see its size and fetch it; the file once it is here."""
    url = st.text_input(
        "Address of a public file",
        key="fetch_url",
        placeholder="https://…",
        help="A link of a download at CELLxGENE Discover, GEO, Zenodo, figshare or another public place, https alone.",
    )
    with st.popover("How to find the address", type="tertiary"):
        for place, words in PLACES.items():
            st.markdown(f"**{place}**: {escaped(words)}")
    if st.button("Look up", key="look_up", disabled=not url, width="stretch"):
        _hand_in(url, look=True)
    _offer(url)
    return _fetched()


def _hand_in(url: str, *, look: bool) -> None:
    """Hand a press in; nothing is asked for before it."""
    with errors_in_words():
        address = web_address(url, state.settings().fetch_from)
        run = state.queue().submit("fetching", Request(url=address, look=look), state.owner(), again=look).run
        state.keep(KEPT_LOOK if look else KEPT_FETCH, run)
        state.keep(KEPT_FETCH if look else KEPT_LOOK, None)
        st.rerun()


def _offer(url: str) -> None:
    """Say what is at the address and how large it is, and offer it."""
    run = state.kept(KEPT_LOOK)
    if run is None or job_panel(run, key="look").state != "done":
        return
    found = state.queue().result(run)
    size = f"{found.n_bytes / GIGABYTE:,.2f} GB" if found.n_bytes else "of unknown size"
    st.markdown(f"**{escaped(found.name)}**, {size}, from {escaped(found.host)}")
    if st.button("Fetch", key="fetch", type="primary", width="stretch"):
        _hand_in(url, look=False)


def _fetched() -> Path | None:
    run = state.kept(KEPT_FETCH)
    if run is None or job_panel(run, key="fetching").state != "done":
        return None
    return Path(state.queue().result(run).path)
