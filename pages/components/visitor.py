"""Who has logged in, as the signed cookie of the login says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from scviz.settings import Settings
from scviz.workspace.admission import Admission, admit


def admission(settings: Settings) -> Admission | None:
    """Return what the login of this session came to; None where nobody has logged in.

    What is said of a user comes from the signed cookie of the login, and from nowhere else.
    """
    claims: Mapping[str, Any] = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        return None
    return admit(claims, settings.allow, groups_claim=settings.groups_claim)
