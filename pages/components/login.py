"""The door of a server with a login: who comes in, who does not and why, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from pages.components import state
from pages.components.text import escaped
from pages.components.visitor import admission
from scviz.errors import SettingsError
from scviz.settings import Settings
from scviz.workspace.admission import Admission
from scviz.workspace.audit import note
from scviz.workspace.people import MARK, Person, remember_person

NOTED = "login_noted"


def gate() -> None:
    """Let pass who may come in; all others get a way to log in, or are told why not, and the page ends here."""
    settings = state.settings()
    found = admission(settings)
    if found is None:
        _ask()
        st.stop()
    _note(found, settings)
    if not found.admitted:
        _turn_away(found)
        st.stop()
    try:
        settings.refuse_shown_home()
    except SettingsError as error:
        st.error(escaped(f"{error} {error.hint}"))
        st.stop()
    remember_person(settings.home, found.person)


def who_is_in(person: Person) -> None:
    """Say in the sidebar who has logged in, and offer the way out."""
    st.divider()
    st.text(person.called)
    code = escaped(f"code:{person.id}")
    st.caption(escaped(f"{person.role} · code {person.id[:MARK]}…"), help=f"Your code: {code}")
    st.button("Log out", on_click=st.logout, key="logout")


def _ask() -> None:
    st.header("scviz", anchor=False)
    st.write("This server is for its group. Please log in to see your data and runs.")
    for number, provider in enumerate(_providers()):
        key = f"login_{number}" if number else "login"
        label = "Log in" if provider is None else f"Log in with {escaped(provider)}"
        if st.button(label, type="primary", key=key):
            try:
                st.login(provider)
            except StreamlitAuthError as error:
                st.error(
                    f"The login of this server is not set up: {escaped(str(error))} "
                    "Ask its owner; the README says how."
                )


def _providers() -> list[str | None]:
    """Name the issuers of `.streamlit/secrets.toml`; None stands for the one without a name."""
    section: Mapping[str, Any] = {}
    with suppress(FileNotFoundError, KeyError):  # no file, or no login in it: the button says so
        section = st.secrets["auth"]
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    return [None, *named] if "client_id" in section or not named else list(named)


def _turn_away(found: Admission) -> None:
    person = found.person
    st.header("scviz", anchor=False)
    st.error(f"You have logged in, but this server does not let you in. {escaped(found.why)}")
    if person.issuer:
        st.write("Its owner can put you on the list (SCVIZ_ALLOW) by this code, which is yours alone:")
        st.code(f"code:{person.id}", language=None)
    if not person.email:
        st.caption("Your login gives no address that its issuer has verified, so no address can let you in.")
    st.button("Log out", on_click=st.logout, key="logout")


def _note(found: Admission, settings: Settings) -> None:
    """Write into the audit log that somebody came, once for each session."""
    if state.kept(NOTED) != found.person.id:
        state.keep(NOTED, found.person.id)
        note(settings.home, found.person, "log in" if found.admitted else "turned away")
