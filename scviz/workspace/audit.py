"""Who did what and when, a line each in `audit.log` of the workspace, which its own user alone reads.

A line is JSON: time, id of the person, what others call her, what she did, and to what. Lines are only added; a file
that has grown long becomes `audit.log.1`, and the one before it goes.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from scviz.workspace.people import Person
from scviz.workspace.plain_json import DamagedFileError, parse_plain

FILE = "audit.log"
MOST_BYTES = 20_000_000


def note(home: Path, person: Person, did: str, **what: str) -> None:
    """Add a line.

    Parameters
    ----------
    home
        The workspace.
    person
        Who did it.
    did
        What, in few words: `log in`, `submit`, `share`, …
    what
        To what, by name.
    """
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "person": person.id}
    line |= {"called": person.called, "role": person.role, "did": did, **what}
    path = home / FILE
    with FileLock(home / f"{FILE}.lock"):
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_name(f"{FILE}.1"))
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(json.dumps(line, ensure_ascii=True) + "\n")


def lines(home: Path) -> list[dict[str, Any]]:
    """Read the lines, the oldest first; one that was broken off is left out."""
    path = home / FILE
    found: list[dict[str, Any]] = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        with suppress(DamagedFileError):
            found.append(parse_plain(line, name=FILE))
    return found
