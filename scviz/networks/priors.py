"""Known links from regulators to targets, and lists of regulators, from the files people have of them."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scviz.datasets.gene_terms import content_of
from scviz.errors import DataError

SOURCES = ("source", "tf", "regulator")
TARGETS = ("target", "target_gene", "gene")
OMNIPATH = "{}_genesymbol"
"""Column of symbols, beside that of the accessions of proteins."""
CHIP_ATLAS_HEAD = "target_genes"
CHIP_ATLAS_NAME = re.compile(r"(?P<regulator>.+)\.\d+\.tsv(\.gz)?")
"""Such as MYC.10.tsv: the regulator, and how many kilobases around the start of a gene count."""
LARGEST_FILE = 400_000_000
"""Bytes, unpacked."""
LAYOUTS = (
    "The first line names the columns: source (or tf) and target; commas or tabs; may end in .gz. CollecTRI, DoRothEA, "
    "TRRUST and ReMap tables are so. Lists of targets from ChIP-Atlas, such as MYC.10.tsv, are read too."
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


def prior_of(name: str, links: Iterable[tuple[str, str]]) -> Prior:
    """Group links, each a regulator and its target, by regulator."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for regulator, gene in links:
        if regulator and gene:
            found[regulator].add(gene)
    return Prior(name=name, targets={regulator: frozenset(found[regulator]) for regulator in sorted(found)})


def read_prior(path: Path) -> Prior:
    """Read a table of links.

    Parameters
    ----------
    path
        A table with the columns source (or tf) and target, with commas or tabs, plain or packed with gzip; or a list of
        targets as ChIP-Atlas has them, whose file is called by the regulator. All genes of such a list are targets.

    Raises
    ------
    DataError
        If it is no such table, or holds no link.
    """
    lines = _lines(path)
    if not lines:
        raise DataError(f"{path.name} is empty.", hint=LAYOUTS)
    rows = csv.reader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    head = [name.strip().lower() for name in next(rows)]
    chip_atlas = head[:1] == [CHIP_ATLAS_HEAD]
    links = _chip_atlas_links(rows, path) if chip_atlas else _table_links(rows, head, path)
    prior = prior_of(path.name.removesuffix(".gz").rpartition(".")[0], links)
    if not prior.targets:
        raise DataError(f"{path.name} holds no links.", hint=LAYOUTS)
    return prior


def _table_links(rows: Iterable[list[str]], head: list[str], path: Path) -> Iterator[tuple[str, str]]:
    source, target = _place(head, SOURCES, path), _place(head, TARGETS, path)
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) <= max(source, target):
            raise DataError(f"Line {number} of {path.name} is too short: {row[:3]}.", hint=LAYOUTS)
        yield row[source].strip(), row[target].strip()


def _chip_atlas_links(rows: Iterable[list[str]], path: Path) -> Iterator[tuple[str, str]]:
    named = CHIP_ATLAS_NAME.fullmatch(path.name)
    if named is None:
        raise DataError(
            f"{path.name} lists targets and does not say of which regulator.",
            hint="Give the file the name that it has on ChIP-Atlas, such as MYC.10.tsv.",
        )
    for row in rows:
        if row:
            yield named["regulator"], row[0].strip()


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
        return content_of(path, largest=LARGEST_FILE).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} cannot be read as text: {error}.", hint=LAYOUTS) from error


def _place(head: list[str], names: tuple[str, ...], path: Path) -> int:
    for name in (OMNIPATH.format(names[0]), *names):
        if name in head:
            return head.index(name)
    raise DataError(
        f"{path.name} has no column {names[0]!r}; its columns are {', '.join(head[:8])}.", hint=LAYOUTS
    )
