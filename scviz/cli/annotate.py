"""What the command `annotate` writes of each cell: all that its printed scores are computed from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scviz.tasks.annotation import MODEL, Result


def cells(result: Result) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Give the columns of the table, and a row for each cell of the dataset.

    `known` and the names by the baselines are those of the cells held out and empty for all others.
    """
    baselines = [method for method in result.predicted if method != MODEL]
    n_cells = len(result.all_predicted)
    words = np.array([*result.types, ""])
    held_out = np.full((2 + len(baselines), n_cells), "", dtype=object)
    held_out[0, result.test_rows] = "held out"
    held_out[1, result.test_rows] = words[result.truth]
    for row, method in enumerate(baselines, start=2):
        held_out[row, result.test_rows] = words[result.predicted[method]]
    columns = ["named", "confidence", "role", "known", *baselines]
    return columns, zip(words[result.all_predicted], result.all_confidence, *held_out, strict=True)
