"""Whether rows of a file are cells or genes, as a user says it."""

from __future__ import annotations

from scviz.tasks.fields import Choice

TURNED = Choice(
    "Rows of the file",
    {"": "as its names say", "cells": "cells", "genes": "genes"},
    help="AnnData keeps cells in rows; many tables keep genes there.",
)


def is_turned(words: str) -> bool | None:
    """Return whether rows are genes; None where the user says nothing.

    Examples
    --------
    >>> is_turned("genes"), is_turned("")
    (True, None)
    """
    return {"cells": False, "genes": True}.get(words)
