"""What the first page of a server needs, loaded before the server answers: the first visitor waits for none of it."""

from __future__ import annotations

import ast
import logging
from importlib import import_module

from scviz.settings import ROOT

FIRST_PAGE = "app.py"
CACHES = "streamlit.runtime.caching.cache_data_api"
"""Says of every cache that is declared before the server runs that there is no server yet."""


def warm_up() -> None:
    """Import what the first page imports, and all that this imports in turn."""
    logger = logging.getLogger(CACHES)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        for name in imported(FIRST_PAGE):
            import_module(name)
    finally:
        logger.setLevel(level)


def imported(script: str) -> tuple[str, ...]:
    """Name the modules of this project that a page imports, each once.

    Examples
    --------
    >>> "pages.components.frame" in imported("app.py")
    True
    """
    tree = ast.parse((ROOT / script).read_text("utf-8"))
    found = [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return tuple(dict.fromkeys(name for name in found if name.split(".")[0] in ("pages", "scviz")))
