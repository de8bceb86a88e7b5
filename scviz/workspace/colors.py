"""Colors that a user has given to the values of columns; kept beside the dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from scviz.workspace.plain_json import read_plain

FILE = "colors.json"


def read_colors(folder: Path) -> dict[str, dict[str, str]]:
    """Return the colors of a dataset: column -> value -> `#rrggbb`; empty where none was chosen."""
    path = folder / FILE
    found = read_plain(path) if path.exists() else {}
    return {
        str(column): {str(value): str(color) for value, color in colors.items()}
        for column, colors in found.items()
        if isinstance(colors, dict)
    }


def give_color(folder: Path, column: str, *, value: str, color: str) -> None:
    """Give a value of a column a color, `#rrggbb`."""
    with FileLock(folder / f"{FILE}.lock"):
        known = read_colors(folder)
        _write(folder, {**known, column: {**known.get(column, {}), value: color}})


def forget_colors(folder: Path, column: str) -> None:
    """Drop all colors that were given to the values of a column."""
    with FileLock(folder / f"{FILE}.lock"):
        _write(folder, {name: one for name, one in read_colors(folder).items() if name != column})


def _write(folder: Path, colors: Mapping[str, Mapping[str, str]]) -> None:
    draft = folder / f"{FILE}.draft"
    draft.write_text(json.dumps(colors, indent=1), encoding="utf-8")
    draft.replace(folder / FILE)
