"""No browser can have a server forget what it has loaded: that is everybody's, and loading it takes seconds."""

from __future__ import annotations

from streamlit.runtime.app_session import AppSession


def keep_caches() -> None:
    """Have the message "clear_cache", which Streamlit obeys from whoever sends it, do nothing."""
    AppSession._handle_clear_cache_request = _nothing  # type: ignore[method-assign, assignment]


def _nothing(_: AppSession) -> None:
    """Leave all as it is."""
