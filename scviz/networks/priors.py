"""Known links from regulators to targets, and lists of regulators, from the files people have of them."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scviz.datasets.gene_keys import matched
from scviz.datasets.gene_sheets import Sheet, sheet_of, told
from scviz.datasets.gene_terms import content_of
from scviz.errors import DataError

SOURCES = ("source", "tf", "regulator")
TARGETS = ("target", "target_gene", "gene")
OMNIPATH = "{}_genesymbol"
"""Column of symbols, beside that of the accessions of proteins."""
CHIP_ATLAS_HEAD = "target_genes"
CHIP_ATLAS_NAME = re.compile(r"(?P<regulator>.+)\.\d+\.tsv(\.gz)?")
"""Such as MYC.10.tsv: the regulator, and how many kilobases around the start of a gene count."""
LIST_HEADS = (
    *SOURCES,
    "symbol",
    "gene",
    "gene_name",
    "gene_symbol",
    "hgnc symbol",
    "hgnc_symbol",
    "approved symbol",
)
"""Names of columns that list regulators, in small letters, the best first."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@()/-]{0,39}")
"""What may be a gene."""
LARGEST_FILE = 400_000_000
"""Bytes, unpacked."""
BEGINNING = 8192
"""Bytes, unpacked, by which a file is told."""
SURE = 0.9
"""Share of the words of a list that must be names of genes before it is offered."""
LAYOUTS = (
    "The first line names the columns: source (or tf) and target; commas or tabs; may end in .gz. CollecTRI, DoRothEA, "
    "TRRUST and ReMap tables are so. Lists of targets from ChIP-Atlas, such as MYC.10.tsv, are read too."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Known links, by regulator."""

    name: str
    targets: dict[str, frozenset[str]]
    bad: tuple[str, ...] = ()
    """What is wrong with each line of its file that was left out."""

    @property
    def n_links(self) -> int:
        """All links."""
        return sum(map(len, self.targets.values()))

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which lines of the file could not be read; empty where all could."""
        return tuple(f"Of {self.name} {sentence}" for sentence in told(self.bad))

    def as_in(self, genes: Sequence[str]) -> Prior:
        """Write names as the data have them, where they differ by letter case, `-`, `_` or `.` alone."""
        listed = {name for source, targets in self.targets.items() for name in (source, *targets)}
        own = matched(listed, genes).genes
        found: defaultdict[str, set[str]] = defaultdict(set)
        for source, targets in self.targets.items():
            found[own.get(source, source)].update(own.get(target, target) for target in targets)
        return replace(self, targets={source: frozenset(targets) for source, targets in found.items()})

    def among(self, genes: Sequence[str]) -> Prior:
        """Keep links between measured genes; none from a gene to itself."""
        measured = frozenset(genes)
        kept = {
            source: (targets & measured) - {source}
            for source, targets in self.as_in(genes).targets.items()
            if source in measured
        }
        return replace(self, targets={source: found for source, found in kept.items() if found})


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
    sheet = _sheet(path)
    if not sheet.rows:
        raise DataError(f"The file {path.name} is empty.", hint=LAYOUTS)
    head, rows = _head(sheet), Sheet(rows=sheet.rows[1:])
    bad: tuple[str, ...] = ()
    if head[:1] == [CHIP_ATLAS_HEAD]:
        links = _chip_atlas_links(rows, path)
    else:
        columns = _columns(head, path)
        links = _table_links(rows, columns)
        bad = rows.short(max(columns) + 1, "too few cells")
    prior = prior_of(path.name.removesuffix(".gz").rpartition(".")[0], links)
    if not prior.targets:
        first = (
            f"Line {rows.rows[0].number} of {path.name} is too short"
            if bad
            else f"{path.name} holds no links"
        )
        raise DataError(f"{first}.", hint=LAYOUTS)
    return replace(prior, bad=bad)


def holds_links(path: Path) -> bool:
    """Tell by the first lines of a file whether it is a table of links."""
    try:
        head = _head(sheet_of(_beginning(path)))
        return head[:1] == [CHIP_ATLAS_HEAD] or bool(_columns(head, path))
    except (DataError, ValueError):
        return False


def holds_regulators(path: Path) -> bool:
    """Tell by the first lines of a file whether it is a list of regulators."""
    try:
        words = _words(sheet_of(_beginning(path)), path)
    except (DataError, ValueError):
        return False
    return sum(NAME.fullmatch(one.word) is not None for one in words) > SURE * len(words)


def _beginning(path: Path) -> bytes:
    """Read the first lines of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content: bytes = file.read(BEGINNING)
    except (OSError, EOFError, zlib.error):
        return b""
    return content.rpartition(b"\n")[0] if len(content) == BEGINNING else content


def _columns(head: list[str], path: Path) -> tuple[int, int]:
    """Find the columns of regulators and targets."""
    return _place(head, SOURCES, path), _place(head, TARGETS, path)


def _table_links(sheet: Sheet, columns: tuple[int, int]) -> Iterator[tuple[str, str]]:
    for cells in (row.cells for row in sheet.rows if len(row.cells) > max(columns)):
        yield cells[columns[0]], cells[columns[1]]


def _chip_atlas_links(sheet: Sheet, path: Path) -> Iterator[tuple[str, str]]:
    named = CHIP_ATLAS_NAME.fullmatch(path.name)
    if named is None:
        raise DataError(
            f"The file {path.name} lists targets and does not say of which regulator.",
            hint="Give the file the name that it has on ChIP-Atlas, such as MYC.10.tsv.",
        )
    return ((named["regulator"], row.cells[0]) for row in sheet.rows)


def read_regulators(path: Path) -> tuple[str, ...]:
    """Read a list of regulators: a symbol in each line, several with commas between, or a table with their column.

    Raises
    ------
    DataError
        If it is no such list.
    """
    return _regulators(path).names


def regulators_left_out(path: Path) -> tuple[str, ...]:
    """Say which lines of a list of regulators are none, a sentence.

    Raises
    ------
    DataError
        If it is no such list.
    """
    return tuple(f"Of {path.name} {sentence}" for sentence in told(_regulators(path).bad))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What a list holds."""

    names: tuple[str, ...]
    bad: tuple[str, ...]


def _regulators(path: Path) -> _Listed:
    words = _words(_sheet(path), path)
    names = dict.fromkeys(one.word for one in words if NAME.fullmatch(one.word))
    if not names:
        raise _no_list(path)
    bad = tuple(
        f"line {one.line} is no name of a gene ({one.word[:40]!r})" for one in words if one.word not in names
    )
    return _Listed(names=tuple(names), bad=bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What stands in a list."""

    line: int
    word: str


def _words(sheet: Sheet, path: Path) -> list[_Word]:
    """Read the words of a list, or those of one column of a table."""
    head = _head(sheet)
    columns = [head.index(name) for name in LIST_HEADS if name in head]
    if set(head) & set(TARGETS[:2]) or (not columns and _is_table(sheet)):
        raise _no_list(path)
    if columns:
        sheet = Sheet(rows=sheet.rows[1:])
    place = slice(columns[0], columns[0] + 1) if columns else slice(None)
    return [_Word(line=row.number, word=word) for row in sheet.rows for word in row.cells[place]]


def _head(sheet: Sheet) -> list[str]:
    return [cell.lower() for cell in sheet.rows[0].cells] if sheet.rows else []


def _is_table(sheet: Sheet) -> bool:
    """Tell whether most of several lines have more than one cell."""
    return 1 < len(sheet.rows) < 2 * sum(len(row.cells) > 1 for row in sheet.rows)


def _no_list(path: Path) -> DataError:
    return DataError(
        f"The file {path.name} is no list of regulators.",
        hint="A text file with one symbol in each line is one.",
    )


def _sheet(path: Path) -> Sheet:
    try:
        return sheet_of(content_of(path, largest=LARGEST_FILE))
    except ValueError as error:
        raise DataError(f"The file {path.name} cannot be read as text: {error}.", hint=LAYOUTS) from error


def _place(head: list[str], names: tuple[str, ...], path: Path) -> int:
    for name in (OMNIPATH.format(names[0]), *names):
        if name in head:
            return head.index(name)
    raise DataError(
        f"The file {path.name} has no column {names[0]!r}; its columns are {', '.join(head[:8])}.",
        hint=LAYOUTS,
    )
