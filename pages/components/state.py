"""What a browser session has chosen: ids in the address and in the session, never data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Any

import streamlit as st

from pages.components.text import escaped
from pages.components.visitor import admission
from scviz.errors import JobError, ScvizError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.jobs.shipped import Shelf, take_in
from scviz.jobs.visitors import visitor
from scviz.settings import Settings
from scviz.workspace import CheckpointInfo, DatasetInfo, Workspace
from scviz.workspace.database import Run
from scviz.workspace.people import MACHINE, Person, remember_person

OF_DATASET = ("filters", "selection", "zoom", "ask")
"""Parts of an address that mean nothing on another dataset."""

LATE_SECONDS = 20.0
"""How long the browser may still name the address from before a press."""
MOST_PUT = 100
"""Values of a part of the address that a session knows again as its own."""


@st.cache_resource
def settings() -> Settings:
    """Return the settings of this server."""
    return Settings.from_env()


@st.cache_resource
def _workspace() -> Workspace:
    return Workspace.from_settings(settings())


@st.cache_resource
def _queue() -> RunQueue:
    queue = RunQueue(settings())
    queue.warm_up()
    return queue


def workspace() -> Workspace:
    """Return the workspace of this server, as whoever asks may see it."""
    return _workspace().of(person())


def queue() -> OwnRuns:
    """Return the queue of runs of this server, shared by all sessions, as whoever asks may see it."""
    return OwnRuns(_queue(), person())


def take_in_shipped() -> None:
    """Give whoever asks the finished runs of the demo cells that come with scviz, once they are open."""
    demo = tuple(info.id for info in workspace().datasets() if info.demo)
    if demo:
        _take_in(owner(), demo)


@st.cache_resource(max_entries=1000)
def _take_in(owner: str, demo: tuple[str, ...]) -> None:  # noqa: ARG001 - demo: opened later, they are taken in then
    with suppress(
        OSError, ScvizError
    ):  # a full, damaged or read-only workspace: the page goes on without them
        take_in(Shelf(workspace=workspace(), database=_queue().database, owner=owner))


def person() -> Person:
    """Return who asks: whoever has logged in and may come in, or the owner of the machine on a server without a login.

    Where a login is wanted, nothing goes on without one.
    """
    if settings().demo:
        return _visitor()
    if not settings().login:
        return MACHINE
    found = admission(settings())
    if found is None or not found.admitted:
        st.stop()
    return found.person


def _visitor() -> Person:
    """Return who this browser session is on a demo server."""
    token = kept("visitor")
    if token is None:
        token = token_hex(16)
        keep("visitor", token)
        remember_person(settings().home, visitor(token))
    return visitor(token)


def owner() -> str:
    """Return the id under which whoever asks owns things."""
    return person().id


def dark() -> bool:
    """Tell whether the page is dark."""
    return st.context.theme.type == "dark"


def remember(name: str, value: str | None) -> None:
    """Keep a choice in the session and in the address, so that a link leads back to it."""
    if value is None:
        st.session_state.pop(f"chosen_{name}", None)
        _change(name, None)
    else:
        st.session_state[f"chosen_{name}"] = value
        _change(name, value)


def _change(name: str, value: str | None) -> None:
    """Put something that a press decides into the address, or take it out, so that no late answer brings it back."""
    before = st.query_params.get(name)
    put(name, value)
    if before != value:
        changes = st.session_state.setdefault("address_changes", {})
        changes[name] = (before, value, time.monotonic())


def catch_up(page: str) -> None:
    """Take back what a late answer of the browser has brought into the address of a page; call it before it is read.

    What the browser sends names the address it showed at that moment. A panel that looks each second, asked for just
    before it heard of a press, would have the page show again the run from before the press.
    """
    if st.session_state.get("address_page") != page:  # a link has led here: what it says holds
        st.session_state["address_page"] = page
        st.session_state.pop("address_changes", None)
    for name, (before, value, since) in st.session_state.get("address_changes", {}).items():
        if st.query_params.get(name) == before and time.monotonic() - since < LATE_SECONDS:
            put(name, value)


def recall(name: str) -> str | None:
    """Return a choice: the one in the address, else the one of the session."""
    value = st.query_params.get(name, st.session_state.get(f"chosen_{name}"))
    if value is not None:
        st.session_state[f"chosen_{name}"] = value
    return value


def from_link(name: str) -> str:
    """Return what a link to this page asks for; empty if it does not."""
    return str(st.query_params.get(name, ""))


def put(name: str, value: str | None) -> None:
    """Put something into the address, or take it out."""
    if value is None:
        st.query_params.pop(name, None)
        return
    own = st.session_state.get(f"put_{name}", ())
    if value not in own[-1:]:
        st.session_state[f"put_{name}"] = (*own, value)[-MOST_PUT:]
    if st.query_params.get(name) != value:
        st.query_params[name] = value


def from_others(name: str) -> str:
    """Return what a link from elsewhere asks for; empty for what this session has put into the address itself.

    The browser may answer with an address that is some clicks old: what was there must not come back by that.
    """
    value = str(st.query_params.get(name, ""))
    return "" if value in st.session_state.get(f"put_{name}", ()) else value


def left_out(what: str) -> None:
    """Say that a part of a link could not be followed."""
    st.toast(escaped(what), icon=":material/link_off:")


def held(widget: str) -> Any:
    """Return what the session holds for a widget; None if it was never drawn nor set."""
    return st.session_state.get(widget)


def preset(widget: str, value: Any) -> None:
    """Set a widget before it is drawn."""
    st.session_state[widget] = value


def forget(widget: str) -> None:
    """Let a widget begin anew when it is drawn next."""
    st.session_state.pop(widget, None)


def value_of(widget: str) -> Any:
    """Return what a widget holds; for callbacks, which run before the page does."""
    return st.session_state[widget]


def asked(name: str) -> str:
    """Take out of the address what a link from another page asks for, so that it is done once; empty for nothing."""
    return str(st.query_params.pop(name, ""))


def keep(name: str, value: str | None) -> None:
    """Keep something for this session only."""
    st.session_state[f"kept_{name}"] = value


def kept(name: str) -> str | None:
    """Return what was kept for this session."""
    value: str | None = st.session_state.get(f"kept_{name}")
    return value


def link() -> dict[str, str]:
    """Return the choices that a link to another page carries."""
    names = ("dataset", "checkpoint")
    return {name: value for name in names if (value := recall(name)) is not None}


def follow_run() -> None:
    """Open the dataset and the checkpoint of the run in the address, where the address names none itself."""
    identifier = st.query_params.get("run")
    found = _run(identifier) if identifier else []
    if identifier and not found:
        st.query_params.pop("run", None)
        left_out("The run that was asked for is not here: it was deleted, or belongs to somebody else.")
    for run in found:
        for name in ("dataset", "checkpoint"):
            if name not in st.query_params and run.request.get(name):
                st.session_state[f"chosen_{name}"] = str(run.request[name])


def _run(identifier: str) -> list[Run]:
    """Return the run of this id that whoever asks may see, if there is one."""
    with suppress(JobError):
        return [queue().get(identifier)]
    return []


def current_dataset() -> DatasetInfo | None:
    """Return the dataset that is open: the chosen one, else the newest."""
    chosen = recall("dataset")
    if chosen is not None:
        try:
            return workspace().dataset(chosen)
        except ScvizError:
            remember("dataset", None)
            _forget_view()
            left_out("The dataset that was asked for is not here any more, so another one is open.")
    return next(iter(workspace().datasets()), None)


def current_checkpoint() -> CheckpointInfo | None:
    """Return the weights that are in use: the chosen ones, else the newest."""
    chosen = recall("checkpoint")
    if chosen is not None:
        try:
            return workspace().checkpoint(chosen)
        except ScvizError:
            remember("checkpoint", None)
            left_out("The weights that were asked for are not here any more.")
    return next(iter(workspace().checkpoints()), None)


def current_run(task: str, dataset: str, checkpoint: str | None = None) -> str | None:
    """Return the run whose result a page shows: the one in the address, else the last of this task on these cells."""
    in_address = st.query_params.get("run")
    runs = [run for run in queue().runs(owner=owner()) if run.task == task]
    if in_address in {run.id for run in runs}:
        return in_address
    for run in runs:
        if run.request["dataset"] == dataset and checkpoint in (None, run.request.get("checkpoint")):
            return run.id
    return None


def shown_run() -> Run | None:
    """Return the run in the address, if there is one that whoever asks may see."""
    identifier = st.query_params.get("run")
    return next(iter(_run(identifier)), None) if identifier else None


def show_run(run: str) -> None:
    """Put a run into the address."""
    _change("run", run)


def forget_run() -> None:
    """Take the run out of the address, and what else belongs to the dataset that was open."""
    _change("run", None)
    _forget_view()


def _forget_view() -> None:
    for name in OF_DATASET:
        st.query_params.pop(name, None)


def position(options: Sequence[str], value: str | None) -> int:
    """Return where a value stands among options, 0 if it does not."""
    return options.index(value) if value in options else 0
