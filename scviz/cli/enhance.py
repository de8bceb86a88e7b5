"""What the command `enhance` writes of each checked cell: all that its printed scores are computed from."""

from __future__ import annotations

import csv
from pathlib import Path

from scviz.tasks.enhancement import Result


def write_check(result: Result, path: Path) -> None:
    """Write the row of each checked cell and its correlation with the original, by method."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", *result.correlations])
        columns = [values.tolist() for values in result.correlations.values()]
        writer.writerows(zip(result.check_rows.tolist(), *columns, strict=True))
