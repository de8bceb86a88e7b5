"""A split of one's own: which cells are trained on, stopped by and judged by, from a file or a column of the cells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_names
from scviz.datasets.labels import is_label, labels_in
from scviz.datasets.own_split import PARTS, named_parts
from scviz.errors import DataError, RequestError

if TYPE_CHECKING:
    import pandas as pd

LAYOUT = "Each cell is train, validation or test; cells without a part are left out."
FOLDER = "splits"
"""Where a dataset keeps them."""


def parts_of_column(obs: pd.DataFrame, column: str) -> NDArray[np.str_]:
    """Read the part of each cell from a column.

    Parameters
    ----------
    obs
        N rows, one for each cell.
    column
        Says train, validation or test.

    Returns
    -------
    (N,) "train", "validation" or "test"; '' for cells without a part.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    RequestError
        If it says something else, or leaves nothing to train on or to judge by.
    """
    found = labels_in(obs, column)
    parts = [_part(word, f"The column {column!r}") for word in found.names]
    return _checked(np.array([*parts, ""], dtype=str)[found.codes])


def parts_of_text(text: str, cells: Sequence[str]) -> NDArray[np.str_]:
    """Read lines of a cell and its part, with a comma or a tab between them.

    Parameters
    ----------
    cells
        Names of the N cells, each different.

    Returns
    -------
    (N,) as of `parts_of_column`.

    Raises
    ------
    RequestError
        If a line names no cell or no part, a cell has two parts, or nothing is left to train on or to judge by.
    """
    rows = {name: row for row, name in enumerate(cells)}
    read = named_parts(text, rows.__contains__, hint=LAYOUT)
    named = [(name, word) for name, word in read if is_label(word)]
    unknown = [name for name, _ in named if name not in rows]
    if unknown:
        raise RequestError(
            f"{len(unknown):,} of the {len(named):,} cells that the split names are not in this dataset, "
            f"{unknown[0]!r} for one.",
            hint="Write the names of the cells as they stand in the file (obs_names).",
        )
    parts: dict[str, str] = {}
    for name, word in named:
        part = _part(word, "The split")
        if parts.setdefault(name, part) != part:
            raise RequestError(f"The split puts the cell {name!r} into two parts.", hint=LAYOUT)
    return _checked(np.array([parts.get(name, "") for name in cells], dtype=str))


def keep_split(text: str, folder: Path) -> str:
    """Check a split and keep it with a dataset; returns its name, the same for the same text.

    Parameters
    ----------
    folder
        Folder of the dataset.

    Raises
    ------
    RequestError
        If it cannot be read; see `parts_of_text`.
    """
    parts_of_text(text, cell_names(folder))
    name = f"{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.csv"
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / name).write_text(text, encoding="utf-8")
    return name


def kept_split(name: str, folder: Path) -> NDArray[np.str_]:
    """Read the part of each cell, (N,), from what `keep_split` kept with a dataset.

    Raises
    ------
    DataError
        If it is not there.
    """
    path = folder / FOLDER / Path(name).name
    if not path.is_file():
        raise DataError(f"There is no split {name!r} of this dataset.", hint="Give the file again.")
    return parts_of_text(path.read_text(encoding="utf-8"), cell_names(folder))


def _part(word: str, said_by: str) -> str:
    part = PARTS.get(word.strip().lower())
    if part is None:
        raise RequestError(f"{said_by} says {word!r}, which is no part of a split.", hint=LAYOUT)
    return part


def _checked(parts: NDArray[np.str_]) -> NDArray[np.str_]:
    for part in ("train", "test"):
        if not (parts == part).any():
            raise RequestError(f"The split names no cell as {part}.", hint=LAYOUT)
    return parts
