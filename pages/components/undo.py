"""Take back and do again what changes a selection, a name or a filter, by button and by Ctrl+Z."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from scviz.errors import ScvizError

SCRIPT = Path(__file__).parents[2] / "assets" / "keys" / "keys.js"
UNDO, REDO = "undo_change", "redo_change"
"""Keys of the two buttons."""
MOST_CHANGES = 100
PATIENCE = 5.0
"""Seconds in which the browser may still report what was there before a change was taken back."""

_KEYS = st.components.v2.component("scviz_keys", js=SCRIPT.read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that the user did."""

    kind: str
    what: str
    """In words, such as "Selected 12 cells"."""
    before: Any
    after: Any
    go: Callable[[Any], bool]
    """Brings `before` or `after` back; False if there is nothing to bring back any more."""


@dataclass(slots=True)
class _Journal:
    """What a session did to one dataset."""

    done: list[Change] = field(default_factory=list)
    undone: list[Change] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    """The value of each kind that is watched."""
    awaited: dict[str, tuple[float, Any]] = field(default_factory=dict)
    """Until when a kind may still have a value that was left."""
    said: str = ""


def watch(
    scope: str, kind: str, value: Any, *, what: str, go: Callable[[Any], bool], empty: Any = None
) -> bool:
    """Note a change of a value, such as a selection or the state of filters; call it in each run of the page.

    Parameters
    ----------
    scope
        Id of the dataset.
    kind
        What it is a value of.
    value
        What there is now; it can be compared.
    what
        The change in words, if it is one.
    go
        Brings an earlier value back: presets widgets, or gives a map its selection.
    empty
        The value when there is nothing, as while a page still comes in.

    Returns
    -------
    Whether the user has changed it.
    """
    journal = _journal(scope)
    before = journal.last.setdefault(kind, value if empty is None else empty)
    if value == before:
        journal.awaited.pop(kind, None)
        return False
    until, left = journal.awaited.get(kind, (0.0, None))
    if time.monotonic() < until and value in (left, empty):
        return False
    journal.awaited.pop(kind, None)
    journal.last[kind] = value
    top = journal.done[-1] if journal.done else None
    if top is not None and top.kind == kind and top.before == value and top.after == before == empty:
        journal.done.pop()  # the page went and came back
        return False
    record(scope, Change(kind=kind, what=what, before=before, after=value, go=go))
    return True


def begin(scope: str, kind: str, value: Any, *, empty: Any) -> None:
    """Take a value that a link brings as the first one: there is nothing before it to go back to.

    Parameters
    ----------
    value
        What the page gives, though the browser may not show it yet.
    empty
        What there is until then.
    """
    journal = _journal(scope)
    if kind not in journal.last:
        journal.last[kind] = value
        journal.awaited[kind] = (time.monotonic() + PATIENCE, empty)


def record(scope: str, change: Change) -> None:
    """Note what the user did; what was taken back before is forgotten."""
    journal = _journal(scope)
    journal.done = [*journal.done, change][-MOST_CHANGES:]
    journal.undone.clear()


def undo_buttons(scope: str, *, earlier: Change | None = None, later: Change | None = None) -> None:
    """Draw the two buttons; `undo_keys` with UNDO and REDO lets the keys press them.

    Parameters
    ----------
    scope
        Id of the dataset.
    earlier, later
        What can be taken back or done again where this session has done nothing yet.
    """
    journal = _journal(scope)
    done = journal.done[-1] if journal.done else earlier
    undone = journal.undone[-1] if journal.undone else None if journal.done else later
    with st.container(horizontal=True, gap="small", key="undo_buttons", width="content"):
        _button("undo", done, scope)
        _button("redo", undone, scope)
    if journal.said:
        st.toast(escaped(journal.said))
        journal.said = ""


def undo_keys(undo: str, redo: str) -> None:
    """Let Ctrl+Z and Ctrl+Shift+Z press buttons, named by their keys."""
    _KEYS(key=f"keys_{undo}", data={"undo": undo, "redo": redo}, height=1, width=1)


def _button(name: str, change: Change | None, scope: str) -> None:
    key = UNDO if name == "undo" else REDO
    word, keys = name.capitalize(), "Ctrl+Z" if name == "undo" else "Ctrl+Shift+Z"
    st.button(
        word,
        icon=f":material/{name}:",
        key=key,
        disabled=change is None,
        help=f"{word}: {escaped(change.what)} ({keys})" if change else f"Nothing to {name}. ({keys})",
        on_click=_go,
        args=(scope, name, change),
    )


def _go(scope: str, name: str, change: Change) -> None:
    """Carry a press of a button out."""
    journal = _journal(scope)
    from_stack, to_stack = (
        (journal.done, journal.undone) if name == "undo" else (journal.undone, journal.done)
    )
    wanted, left = (change.before, change.after) if name == "undo" else (change.after, change.before)
    try:
        found = change.go(wanted)
    except ScvizError as error:
        journal.said = f"{error} {error.hint}"
        return
    if from_stack and from_stack[-1] is change:
        from_stack.pop()
    if not found:
        gone = "It was undone before" if name == "undo" else "It cannot be done again any more"
        journal.said = f"{gone}: {change.what}"
        return
    to_stack.append(change)
    if change.kind in journal.last:
        journal.last[change.kind] = wanted
        journal.awaited[change.kind] = (time.monotonic() + PATIENCE, left)
    journal.said = f"{'Undone' if name == 'undo' else 'Done again'}: {change.what}"


def _journal(scope: str) -> _Journal:
    journal: _Journal | None = state.held(f"journal_{scope}")
    if journal is None:
        journal = _Journal()
        state.preset(f"journal_{scope}", journal)
    return journal
