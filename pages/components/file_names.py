"""What files that are saved are called: dataset, what they show, day."""

from __future__ import annotations

import re
from datetime import date

from pages.components import state

LONGEST = 60


def file_name(name: str) -> str:
    """Name a file by the open dataset, by what it shows and by the day; `name` is what it shows, and its ending."""
    stem, _, ending = name.rpartition(".")
    return f"{file_stem(stem)}.{ending}"


def file_stem(what: str) -> str:
    """Return such a name without its ending."""
    dataset = state.current_dataset()
    of = _plain(dataset.name)[:LONGEST] if dataset else ""
    return "_".join(part for part in (of, _plain(what)[:LONGEST], date.today().isoformat()) if part)


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")
