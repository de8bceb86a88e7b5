"""Delete things, after saying what goes with them, and take them back from the trash for a day."""

from __future__ import annotations

import time

import streamlit as st

from pages.components import state
from pages.components.show import errors_in_words, escaped
from scviz.workspace.cleaning import is_kept, keep
from scviz.workspace.dependents import Kind
from scviz.workspace.sizes import in_words
from scviz.workspace.trash import Entry

CHOSEN: dict[Kind, str] = {"dataset": "dataset", "checkpoint": "checkpoint"}
"""What of the address names a thing of a kind."""


def offer_delete(kind: Kind, identifier: str, *, key: str, label: str = "Delete") -> None:
    """Offer to delete a thing: a first press says what would go, a second one does it.

    Parameters
    ----------
    key
        Begins the keys of its buttons.
    """
    asked = f"deleting_{key}"
    if state.kept(asked) != identifier:
        if st.button(label, key=f"{key}_ask", icon=":material/delete:", type="tertiary"):
            state.keep(asked, identifier)
            st.rerun()
        return
    with st.container(border=True, key=f"{key}_panel"), errors_in_words():
        for sentence in state.queue().trash.would_delete(kind, identifier).sentences:
            st.markdown(escaped(sentence))
        row = st.container(horizontal=True)
        if row.button("Keep", key=f"{key}_keep"):
            state.keep(asked, None)
            st.rerun()
        if row.button("Delete", type="primary", key=key):
            state.queue().trash.delete(kind, identifier)
            state.keep(asked, None)
            _leave(kind)
            st.rerun()


def _leave(kind: Kind) -> None:
    """Let the address name no more what was deleted."""
    if kind in CHOSEN:
        state.remember(CHOSEN[kind], None)
    state.forget_run()


def trash_panel() -> None:
    """List what this user deleted within a day, each with the way back; nothing where the trash is empty."""
    trash = state.queue().trash
    entries = trash.entries()
    if not entries:
        return
    total = in_words(sum(one.size for one in entries))
    with st.expander(f"Trash ({len(entries)}, {total})", icon=":material/delete:", key="trash"):
        for one in entries:
            row = st.columns([6, 2], vertical_alignment="center")
            row[0].markdown(
                f"**{escaped(one.name)}** · {escaped(_kind(one))} · {in_words(one.size)} · {_left(one)}"
            )
            if row[1].button("Take back", key=f"take_back_{one.id}", width="stretch"):
                with errors_in_words():
                    trash.take_back(one.id)
                    st.rerun()
        if st.button("Empty the trash", key="empty_trash", help="What is in it is then gone for good."):
            trash.empty()
            st.rerun()


def _kind(entry: Entry) -> str:
    runs = f"{entry.n_runs:,} {'run' if entry.n_runs == 1 else 'runs'}"
    if entry.kind == "run":
        return runs
    return f"{entry.kind} with {runs}" if entry.n_runs else entry.kind


def _left(entry: Entry) -> str:
    hours = max(0.0, entry.expires - time.time()) / 3600
    return f"gone in {hours:.0f} h" if hours >= 1 else "gone within the hour"


def offer_keep(run: str) -> None:
    """Let a run be kept where the server removes old ones."""
    rules, folder = state.settings().clean, state.workspace().run_folder(run)
    if rules and folder.is_dir():
        kept = is_kept(folder)
        told = escaped(f"This server removes what is old: {', '.join(rules)}.")
        wanted = st.toggle("Keep", kept, key=f"keep_{run}", help=told)
        if wanted != kept:
            keep(folder, wanted=wanted)
