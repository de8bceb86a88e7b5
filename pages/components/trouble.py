"""What a page says where the database of runs cannot be used: the reason, in place of what needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.components.show import errors_in_words, escaped
from scviz.errors import DatabaseError, SettingsError


@contextmanager
def needs_database() -> Iterator[None]:
    """Draw what needs the database; where it is locked, full, away or of a newer scviz, say so and stop."""
    try:
        yield
    except (SettingsError, DatabaseError) as error:
        st.error(f"{escaped(str(error))} {escaped(error.hint)}")
        st.button("Try again", key="database_again", icon=":material/refresh:")
        st.stop()


def pressed(act: Callable[..., object], *values: object) -> None:
    """Do what a button is for; what stands in its way is said above the page."""
    with errors_in_words():
        act(*values)
