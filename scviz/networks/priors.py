"""Known links from regulators to targets, and lists of regulators, from the files people have of them."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scviz.errors import DataError

SOURCES = ("source", "tf", "TF", "regulator")
TARGETS = ("target", "target_gene", "gene")
LARGEST_FILE = 400_000_000
"""Bytes, unpacked."""
LAYOUTS = (
    "The first line names the columns: source (or tf) and target; commas or tabs; may end in .gz. CollecTRI, DoRothEA, "
    "TRRUST and ReMap tables are so."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Known links, by regulator."""

    name: str
    targets: dict[str, frozenset[str]]

    @property
    def n_links(self) -> int:
        """All links."""
        return sum(map(len, self.targets.values()))

    def among(self, genes: Iterable[str]) -> Prior:
        """Keep links between measured genes; none from a gene to itself."""
        measured = frozenset(genes)
        kept = {
            source: (targets & measured) - {source}
            for source, targets in self.targets.items()
            if source in measured
        }
        return Prior(name=self.name, targets={source: found for source, found in kept.items() if found})


def read_prior(path: Path, *, levels: str = "") -> Prior:
    """Read a table of links.

    Parameters
    ----------
    path
        A table with the columns source (or tf) and target, with commas or tabs, plain or packed with gzip.
    levels
        Letters of the column `confidence` that are taken, such as ABC; empty takes all.

    Raises
    ------
    DataError
        If it is no such table, or holds no link.
    """
    lines = _lines(path)
    if not lines:
        raise DataError(f"{path.name} is empty.", hint=LAYOUTS)
    separator = "\t" if "\t" in lines[0] else ","
    rows = csv.reader(lines, delimiter=separator)
    head = [name.strip() for name in next(rows)]
    source, target = _place(head, SOURCES, path), _place(head, TARGETS, path)
    confidence = head.index("confidence") if levels and "confidence" in head else None
    found: defaultdict[str, set[str]] = defaultdict(set)
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) <= max(source, target):
            raise DataError(f"Line {number} of {path.name} is too short: {row[:3]}.", hint=LAYOUTS)
        if confidence is not None and row[confidence].strip() not in levels:
            continue
        regulator, gene = row[source].strip(), row[target].strip()
        if regulator and gene:
            found[regulator].add(gene)
    if not found:
        raise DataError(f"{path.name} holds no links.", hint=LAYOUTS)
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    return Prior(name=stem, targets={regulator: frozenset(found[regulator]) for regulator in sorted(found)})


def read_regulators(path: Path) -> tuple[str, ...]:
    """Read a list of regulators: a symbol in each line.

    Raises
    ------
    DataError
        If it is no such list.
    """
    names = [line.strip() for line in _lines(path) if line.strip() and not line.startswith("#")]
    if not names or any("\t" in name or "," in name for name in names):
        raise DataError(
            f"{path.name} is no list of regulators.", hint="A text file with one symbol in each line is one."
        )
    return tuple(dict.fromkeys(names))


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise DataError(
                f"{path.name} holds more than {LARGEST_FILE // 10**6} MB.",
                hint="Keep the links that you need.",
            )
        return content.decode("utf-8-sig").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as text: {error}.", hint=LAYOUTS) from error


def _place(head: list[str], names: tuple[str, ...], path: Path) -> int:
    for name in names:
        if name in head:
            return head.index(name)
    raise DataError(
        f"{path.name} has no column {names[0]!r}; its columns are {', '.join(head[:8])}.", hint=LAYOUTS
    )
