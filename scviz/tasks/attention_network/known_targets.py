"""Known targets of regulators: a table in a file, or the network behind a simulated screen."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

from scviz.datasets.simulated import truth_of
from scviz.errors import DataError
from scviz.tasks.attention_network import TRUTH

SOURCES, TARGETS = ("source", "tf", "regulator"), ("target", "gene")
LARGEST = 500_000_000
"""Characters; more than any table of targets."""


def known_targets(prior: str, folder: Path) -> Mapping[str, frozenset[str]]:
    """Read the targets of each regulator.

    Parameters
    ----------
    prior
        Path of a table, or TRUTH; empty for none.
    folder
        Folder of the dataset.

    Raises
    ------
    DataError
        If there is no such file, or it holds no pairs of regulator and target.
    """
    if not prior:
        return {}
    if prior == TRUTH:
        truth = truth_of(folder)
        return _grouped(zip(truth.source, truth.target, strict=True))
    return _read_table(Path(prior))


def in_words(prior: str) -> str:
    """Say where known targets come from."""
    if prior == TRUTH:
        return "the network that the screen was simulated with"
    return Path(prior).name


def _read_table(path: Path) -> Mapping[str, frozenset[str]]:
    hint = "Choose a table with the columns source (or tf) and target, tab or comma separated; .gz is read."
    try:
        read = gzip.open if path.suffix == ".gz" else open
        with read(path, "rt", encoding="utf-8") as file:
            lines = file.read(LARGEST).splitlines()
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise DataError(f"The table {path.name} cannot be read.", hint=hint) from error
    header = lines[0] if lines else ""
    rows = csv.reader(lines, delimiter="\t" if "\t" in header else ",")
    names = [name.strip().lower() for name in next(rows, [])]
    source = next((names.index(name) for name in SOURCES if name in names), -1)
    target = next((names.index(name) for name in TARGETS if name in names), -1)
    if source < 0 or target < 0:
        raise DataError(f"The table {path.name} names no regulators and targets.", hint=hint)
    width = max(source, target)
    return _grouped((row[source].strip(), row[target].strip()) for row in rows if len(row) > width)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    grouped: dict[str, set[str]] = {}
    for source, target in pairs:
        grouped.setdefault(source, set()).add(target)
    return {source: frozenset(targets) for source, targets in grouped.items()}
