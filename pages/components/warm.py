"""What the first page of a server needs, loaded before the server answers: the first visitor waits for none of it."""

from __future__ import annotations

import ast
from importlib import import_module

from scviz.settings import ROOT

FIRST_PAGE = "app.py"


def warm_up() -> None:
    """Import what the first page imports, and all that this imports in turn."""
    for name in imported(FIRST_PAGE):
        import_module(name)


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
