"""Named groups of cells as a column of the cells, and as a table of cells by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from scviz.workspace.csv_files import CsvWriter

BETWEEN = " | "
"""Between the names of the groups of a cell that is in several."""


def group_column(groups: Mapping[str, NDArray[np.int64]], n_cells: int) -> NDArray[np.object_]:
    """Write for each cell, (N,), the names of its groups; '' for cells in none.

    Parameters
    ----------
    groups
        (n,) rows of the cells of each group.

    Examples
    --------
    >>> group_column({"T": np.array([0, 1]), "blood": np.array([1, 3])}, 4).tolist()
    ['T', 'T | blood', '', 'blood']
    """
    words, codes = [""], np.zeros(n_cells, dtype=np.int64)
    for name, rows in groups.items():
        before = codes[rows]
        after = np.zeros(len(words), dtype=np.int64)
        for code in np.unique(before).tolist():
            after[code] = len(words)
            words.append(f"{words[code]}{BETWEEN}{name}" if code else name)
        codes[rows] = after[before]
    return np.array(words, dtype=object)[codes]


def groups_csv(groups: Mapping[str, NDArray[np.int64]], cell_names: Sequence[str]) -> str:
    """Write a row for each cell of each group, with the name of the cell and that of the group.

    Parameters
    ----------
    groups
        (n,) rows of the cells of each group.
    """
    text = StringIO()
    writer = CsvWriter(text, lineterminator="\n")
    writer.writerow(["cell", "group"])
    for name, rows in groups.items():
        writer.writerows((cell_names[row], name) for row in rows.tolist())
    return text.getvalue()
