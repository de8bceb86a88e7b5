"""JSON as it comes: of a bounded size, of the kind that is expected, and named in a sentence where it is neither."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from scviz.errors import ScvizError

MOST_BYTES = 1 << 30
"""No file of ours or of a model comes near."""
KINDS: dict[type, str] = {dict: "names with values", list: "a list"}
ANEW = "Delete it, or put back a copy, and try again."


class DamagedFileError(ScvizError, ValueError):
    """A file of JSON holds something else than its writer wrote.

    Parameters
    ----------
    message
        What is wrong, a full sentence.
    hint
        What to do.
    why
        What is wrong with it, a few words for a sentence about what the file is of.
    """

    HINT = ANEW

    def __init__(self, message: str, *, hint: str = "", why: str = "") -> None:
        super().__init__(message, hint=hint)
        self.why = why


def damaged(name: str, why: str, *, hint: str = "") -> DamagedFileError:
    """Say of a file what is wrong with it, a few words."""
    return DamagedFileError(f"The file {name} is damaged: {why}.", hint=hint, why=why)


def read_plain(
    path: Path, kind: type | tuple[type, ...] = dict, *, most: int = MOST_BYTES, hint: str = ANEW
) -> Any:
    """Read a file of JSON.

    Parameters
    ----------
    kind
        What it must hold: `dict`, `list`, or either.
    most
        Bytes that it may have.
    hint
        What to do where it is damaged.

    Raises
    ------
    DamagedFileError
        If it holds no JSON, or something of another kind.
    """
    with path.open("rb") as file:  # as much memory as is asked for is taken first, however short the file
        text = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
    return parse_plain(text, kind, name=f"{path.parent.name}/{path.name}", most=most, hint=hint)


def parse_plain(
    text: str | bytes,
    kind: type | tuple[type, ...] = dict,
    *,
    name: str,
    most: int = MOST_BYTES,
    hint: str = ANEW,
) -> Any:
    """Read JSON from a text.

    Parameters
    ----------
    name
        Where the text comes from.

    Raises
    ------
    DamagedFileError
        If it is no JSON, or something of another kind.

    Examples
    --------
    >>> parse_plain('{"seed": 1}', name="request.json")
    {'seed': 1}
    >>> parse_plain("[]", name="request.json")
    Traceback (most recent call last):
    scviz.workspace.plain_json.DamagedFileError: The file request.json is damaged: it holds no names with values.
    """
    if len(text) > most:
        raise damaged(name, f"it has more than {most / 1e6:,.0f} MB", hint=hint)
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise damaged(name, "its brackets are nested too deep", hint=hint) from error
    except ValueError as error:
        raise damaged(name, f"it is no JSON ({str(error)[:200]})", hint=hint) from error
    if not isinstance(found, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " nor ".join(KINDS[one] for one in kinds)
        raise damaged(name, f"it holds no {wanted}", hint=hint)
    return found
