"""Share by a press, with named people or everybody: what a page shows, gene annotations, references, uploads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from pages.components.widgets import told_apart
from scviz.errors import ScvizError
from scviz.workspace.dependents import Kind, folder_of, name_of, references_of, uploads_of
from scviz.workspace.people import EVERYONE, access_of, in_words, names_in

SAID = "sharing_said"
CALLED: dict[Kind, str] = {"terms": "Gene annotations", "reference": "Reference", "upload": "Upload"}
"""Kinds that no page has for its own; others are called as they are."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be shared."""

    kind: Kind
    id: str
    name: str
    shared: tuple[str, ...]

    @property
    def called(self) -> str:
        """What it is."""
        return f"{CALLED.get(self.kind) or self.kind.capitalize()}: {self.name}"

    @property
    def words(self) -> str:
        """What it is, and with whom it is shared."""
        return f"{self.called} · {in_words(self.shared)}"


def share_panel() -> None:
    """Offer to share what is one's own, first what the page shows; nothing where nobody logs in, or nothing is."""
    things, others = (_shown(), _others()) if state.settings().login else ([], [])
    if not things and not others:
        return
    with st.popover("Share", icon=":material/group_add:", key="share"):
        chosen = [one for one in things if _chosen(one)]
        chosen += _among(others) if others else []
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
    return st.checkbox(escaped(one.words), value=one.kind != "checkpoint", key=f"share_{one.kind}_{one.id}")


def _among(others: Sequence[Thing]) -> list[Thing]:
    """Let things be chosen that the page does not show."""
    known = {f"{one.kind}/{one.id}": one for one in others}
    names = told_apart(known, lambda key: known[key].called)
    keys = st.multiselect(
        "What else", list(known), format_func=names, placeholder="Nothing", key="share_others"
    )
    picked = [known[key] for key in keys]
    for one in picked:
        st.caption(escaped(one.words))
    return picked


def _shown() -> list[Thing]:
    """List what the page shows that its user may share."""
    workspace, queue = state.workspace(), state.queue()
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    asked: list[tuple[Kind, str]] = [("dataset", dataset.id)] if dataset else []
    if checkpoint and not workspace.comes_along(checkpoint.id):
        asked.append(("checkpoint", checkpoint.id))
    found = _hers(asked)
    run = state.shown_run()
    if run is not None and queue.hers(run):
        found.append(Thing("run", run.id, run.title, access_of(workspace.run_folder(run.id)).shared))
    return found


def _others() -> list[Thing]:
    """List what its user may share that no page shows for its own."""
    workspace = state.workspace()
    asked: list[tuple[Kind, str]] = [("terms", info.id) for info in workspace.terms()]
    asked += [("reference", one) for one in references_of(workspace)]
    return _hers([*asked, *(("upload", one) for one in uploads_of(workspace))])


def _hers(asked: Iterable[tuple[Kind, str]]) -> list[Thing]:
    """Keep what its user may share; what went since it was listed, or is damaged, is left out."""
    workspace, found = state.workspace(), []
    for kind, identifier in asked:
        with suppress(ScvizError, OSError, ValueError, KeyError):
            folder = folder_of(workspace, kind, identifier)
            if workspace.may_change(folder):
                name = name_of(workspace, kind, identifier)
                found.append(Thing(kind, identifier, name, access_of(folder).shared))
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
