"""Keep the workspace in order while people look: the trash is emptied after a day, and what is old goes."""

from __future__ import annotations

import threading
from contextlib import suppress

import streamlit as st

from pages.components import state
from scviz.errors import ScvizError
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.cleaning import Cleaner, rules_of
from scviz.workspace.database import Database
from scviz.workspace.trash import Trash

EVERY_SECONDS = 600


@st.cache_resource(ttl=EVERY_SECONDS)
def tidy() -> None:
    """Look every ten minutes, beside the pages, where something was deleted or something goes by itself."""
    settings = state.settings()
    if settings.clean or (settings.home / "trash").exists():
        threading.Thread(target=_clean, args=(settings,), daemon=True).start()


def _clean(settings: Settings) -> None:
    with suppress(ScvizError, OSError):  # a workspace that is read only, or another process was faster
        workspace, database = Workspace(settings.home), Database.from_settings(settings)
        Cleaner(workspace, database, Trash(workspace, database)).clean(rules_of(settings.clean))
        database.close()
