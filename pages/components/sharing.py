"""Share what a page shows, by a press: its dataset, its checkpoint, its result, with named people or with everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from scviz.errors import ScvizError
from scviz.workspace.dependents import Kind, folder_of, name_of
from scviz.workspace.people import EVERYONE, access_of, in_words, names_in

SAID = "sharing_said"


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be shared."""

    kind: Kind
    id: str
    name: str
    shared: tuple[str, ...]


def share_panel() -> None:
    """Offer to share what the page shows and is one's own; nothing where nobody logs in, or nothing is one's own."""
    things = _own() if state.settings().login else []
    if not things:
        return
    with st.popover("Share", icon=":material/group_add:", key="share"):
        chosen = [one for one in things if _chosen(one)]
        st.text_input(
            "With whom",
            placeholder="ben@lab.org, code:…",
            key="share_with",
            help="Addresses as their logins verify them, or the codes that people find under their names on the left, "
            "separated by commas.",
        )
        st.checkbox("Everybody who may log in here", key="share_everybody")
        row = st.container(horizontal=True)
        row.button(
            "Share", type="primary", key="share_now", disabled=not chosen, on_click=_share, args=(chosen,)
        )
        nothing = not any(one.shared for one in chosen)
        row.button("Make private", key="share_no_more", disabled=nothing, on_click=_unshare, args=(chosen,))
        if state.kept(SAID):
            st.markdown(escaped(state.kept(SAID) or ""))
            state.keep(SAID, None)
        st.caption(
            "A dataset goes with what is noted on it: named groups, colors, terms, selections. All who have it see and "
            "change these. A result is seen by those who have its dataset, too."
        )


def _chosen(one: Thing) -> bool:
    label = f"{escaped(one.kind.capitalize())}: {escaped(one.name)} · {escaped(in_words(one.shared))}"
    return st.checkbox(label, value=one.kind != "checkpoint", key=f"share_{one.kind}_{one.id}")


def _own() -> list[Thing]:
    """List what the page shows that its user may share."""
    workspace, queue = state.workspace(), state.queue()
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    asked: list[tuple[Kind, str]] = [("dataset", dataset.id)] if dataset else []
    if checkpoint and not workspace.comes_along(checkpoint.id):
        asked.append(("checkpoint", checkpoint.id))
    found = []
    for kind, identifier in asked:
        folder = folder_of(workspace, kind, identifier)
        if workspace.may_change(folder):
            name = name_of(workspace, kind, identifier)
            found.append(Thing(kind, identifier, name, access_of(folder).shared))
    run = state.shown_run()
    if run is not None and queue.hers(run):
        found.append(Thing("run", run.id, run.title, access_of(workspace.run_folder(run.id)).shared))
    return found


def _share(things: Sequence[Thing]) -> None:
    try:
        names = names_in(str(state.value_of("share_with") or ""))
        names += (EVERYONE,) if state.value_of("share_everybody") else ()
        for one in things if names else ():
            state.queue().share(one.kind, one.id, (*one.shared, *names))
    except ScvizError as error:
        state.keep(SAID, f"{error} {error.hint}")
        return
    state.keep(SAID, f"Now {in_words(names)}." if names else "Type with whom, or tick everybody.")


def _unshare(things: Sequence[Thing]) -> None:
    for one in things:
        state.queue().share(one.kind, one.id, ())
    state.keep(SAID, "Nobody else sees it any more.")
