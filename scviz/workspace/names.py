"""Names of things that are kept: called what, of what content, and what is said where there is none."""

from __future__ import annotations

import re

from scviz.errors import CheckpointError, DataError, ScvizError

LONGEST = 255
"""Bytes of a name that file systems take."""


def slug(name: str) -> str:
    """Shorten a name to lower-case letters, digits and single dashes.

    Examples
    --------
    >>> slug("My PBMC (final).h5ad")
    'my-pbmc-final-h5ad'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "unnamed"


def content_of(dataset: str) -> str:
    """Return the part of an id that is a hash of the file; the rest is the name that somebody gave it.

    Examples
    --------
    >>> content_of("my-cells-1a2b3c4d"), content_of("demo")
    ('1a2b3c4d', 'demo')
    """
    return dataset.rpartition("-")[2]


def same_content(one: str, other: str) -> bool:
    """Tell whether two ids are of the same file, whatever it is called.

    Examples
    --------
    >>> same_content("my-cells-1a2b3c4d", "cells-1a2b3c4d")
    True
    """
    return content_of(one) == content_of(other)


def without_owner(dataset: str) -> str:
    """Return an id without what tells equal files of two people apart.

    Examples
    --------
    >>> without_owner("cells-0a1b2c3d-1a2b3c4d"), without_owner("cells-1a2b3c4d")
    ('cells-1a2b3c4d', 'cells-1a2b3c4d')
    """
    return re.sub(r"-[0-9a-f]{8}(?=-[0-9a-f]{8}$)", "", dataset)


def not_here(shelf: str, name: str) -> ScvizError:
    """Say that a thing is not here: in the same words whether there is none or it is somebody else's."""
    if shelf == "checkpoints":
        hint = "Choose another one on the Models page."
        return CheckpointError(f"There is no checkpoint {name!r} here.", hint=hint)
    what, hint = {
        "datasets": ("is no dataset", "Open it again on the Data page."),
        "terms": ("are no gene terms", "Add them again on the Data page."),
        "references": ("is no reference", "Save it again on the Annotate page."),
        "runs": ("is no run", "It may have been deleted; see the Runs page."),
    }.get(shelf, ("is nothing", ""))
    return DataError(f"There {what} {name!r} here.", hint=hint)


def may_be_a_name(name: str) -> bool:
    r"""Tell whether a file system takes a name: not one of 300 letters, nor with a zero byte.

    Examples
    --------
    >>> may_be_a_name("cells-1a2b"), may_be_a_name("a" * 300), may_be_a_name("a\0")
    (True, False, False)
    """
    return len(name.encode("utf-8", "replace")) <= LONGEST and "\0" not in name
