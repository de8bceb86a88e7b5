"""Which genes were perturbed in a cell, read from what a column says about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scviz.datasets.columns import cell_column, gene_identifiers, names_in_file
from scviz.datasets.controls import control_name, says_control
from scviz.datasets.gene_keys import key
from scviz.datasets.genes import NUMBER, GeneIdentifiers
from scviz.datasets.guide_names import ANY_CASE, HUMAN, NameRead, NameReader, Symbols
from scviz.datasets.labels import is_label
from scviz.datasets.screen import CONTROL, Perturbation
from scviz.datasets.tables import Column
from scviz.metrics.evidence import counted
from scviz.workspace import ColumnInfo

PLACE = re.compile(
    r"_[+-]_\d+(?:\.\d+)?(?:-(?:(?:P\d)+|ENST[\d.,ENST]+))?|"
    r"(?<![A-Za-z0-9])(?i:chr)(?:\d{1,2}|[XYM]|MT)[:_.-][\d,]+(?:[-_.]+[\d,]+)?(?:[:_]?[+-](?![A-Za-z0-9]))?"
)
"""Positions in the genome."""
ZYGOSITY = re.compile(r"\(?[+-]/[+-]\)?$")
HARD = re.compile(r"\|{1,2}|&{1,2}|[+;,]|\s(?:and|AND|x|\u00d7)\s")
QUOTES = str.maketrans("", "", "'\"[]{}")

FEWEST_CELLS = 5
"""Perturbations with fewer cells are left out: their mean would be chance."""
MOST_TOGETHER = 4
"""A value that names more genes is no perturbation."""
MOST_EXAMPLES = 3

NO_VALUE = "they have no value"
NOT_KNOWN = "their value says that the perturbation is not known"
NO_GENE = "their value names no gene"
NOT_CHOSEN = "they are not the chosen control"
TOO_MANY = f"their value names more than {MOST_TOGETHER} genes"
UNGUIDED = "no guide was seen in them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one value of a column says."""

    value: str
    perturbation: Perturbation | None
    """None where it was not understood."""
    reason: str = ""
    """Why not, a sentence; or what is doubtful, where it was."""
    why: str = ""
    """Why not, in the words of all that are left out for the same reason; empty where it was understood."""
    n_cells: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """A column as perturbations."""

    column: str
    readings: tuple[Reading, ...]
    """One for each value that cells have, the most frequent first."""
    n_missing: int = 0
    """Cells without a value."""

    @property
    def mapping(self) -> dict[str, Perturbation | None]:
        """What `screen_of` takes."""
        return {one.value: one.perturbation for one in self.readings}

    @property
    def controls(self) -> tuple[str, ...]:
        """Values that are taken for control."""
        return tuple(one.value for one in self.readings if one.perturbation == CONTROL)

    @property
    def n_cells(self) -> dict[Perturbation, int]:
        """Cells of each perturbation, the most frequent value first."""
        counts: dict[Perturbation, int] = {}
        for one in self.readings:
            if one.perturbation is not None:
                counts[one.perturbation] = counts.get(one.perturbation, 0) + one.n_cells
        return counts

    @property
    def doubtful(self) -> tuple[Reading, ...]:
        """Values that are taken for control although their name does not say control."""
        return tuple(one for one in self.readings if one.perturbation == CONTROL and one.reason)

    @property
    def left_out(self) -> dict[str, int]:
        """Cells that are left out, by reason, in a few words; the most first."""
        cells = Counter({NO_VALUE: self.n_missing} if self.n_missing else {})
        for one in self.readings:
            if one.perturbation is None:
                cells[one.why] += one.n_cells
        return dict(cells.most_common())

    @property
    def n_left_out(self) -> int:
        """Cells whose value was not understood, or that have none."""
        return sum(self.left_out.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each reason for which cells are left out, and one for what was taken for control."""
        left = tuple(self._note(why, n_cells) for why, n_cells in self.left_out.items())
        if not self.doubtful:
            return left
        such = ", ".join(
            f"{one.value} ({counted(one.n_cells, 'cell')})" for one in self.doubtful[:MOST_EXAMPLES]
        )
        return (*left, f"Taken for control: {such}. Name the control where that is wrong.")

    def _note(self, why: str, n_cells: int) -> str:
        values = [f"{one.value}: {one.n_cells:,}" for one in self.readings if one.why == why]
        such = ", ".join([*values[:MOST_EXAMPLES], *(["..."] if len(values) > MOST_EXAMPLES else [])])
        verb = "cell is" if n_cells == 1 else "cells are"
        return f"{n_cells:,} {verb} left out: {why}{f' ({such})' if such else ''}."


def symbols_of(ids: GeneIdentifiers, more: Iterable[str] = ()) -> dict[str, str]:
    """Collect the names of the genes of a dataset, and further symbols that are known.

    Parameters
    ----------
    more
        Symbols of genes that the dataset lacks, such as those of a model's vocabulary.
    """
    symbols = {key(name): name for name in more}
    names = ids.names
    symbols |= {key(other): name for other, name in zip(ids.ensembl or (), names, strict=False) if other}
    return symbols | {key(name): name for name in reversed(names) if not NUMBER.fullmatch(name)}


def symbols_in(folder: Path) -> dict[str, str]:
    """Collect the names of the genes of a dataset, those too that its file had before they were renamed."""
    ids = gene_identifiers(folder)
    older = {key(old): new for old, new in zip(names_in_file(folder), ids.names, strict=True)}
    return older | symbols_of(ids)


def conditions_of(folder: Path, column: str, control: str = "") -> Conditions:
    """Read the perturbation that each value of a column of a dataset names; see `read_conditions`."""
    symbols = symbols_in(folder)
    return read_conditions(cell_column(folder, column), symbols, control=control or None)


def read_conditions(column: Column, symbols: Symbols, *, control: str | None = None) -> Conditions:
    """Read each value of a column.

    Parameters
    ----------
    column
        (N,) codes with categories.
    symbols
        Genes that are known, by `symbols_of`.
    control
        Value that is control, where its name does not say so; other values are then no control.
    """
    if column.categories is None:
        values, codes = np.unique(column.values[~np.isnan(column.values)], return_inverse=True)
        names = [f"{value:g}" for value in values]
    else:
        names, codes = list(column.categories), column.values[column.values >= 0]
    counts = np.bincount(codes, minlength=len(names))
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    read = read_values([names[i] for i in order], symbols, control=control)
    return Conditions(
        column=column.name,
        readings=tuple(
            replace(one, n_cells=int(counts[place])) for one, place in zip(read, order, strict=True)
        ),
        n_missing=column.n_missing,
    )


def read_values(values: Sequence[str], symbols: Symbols, *, control: str | None = None) -> list[Reading]:
    """Read values together, since others tell what the number at the end of a name is.

    Examples
    --------
    >>> known = {key(name): name for name in ("HLA-A", "STAT1", "MT-CO1")}
    >>> for one in read_values(["ctrl", "HLA-A+ctrl", "STAT1_MT_CO1", "STAT2g2", "NTg4", "T cell"], known):
    ...     print(one.value, "->", one.perturbation)
    ctrl -> ()
    HLA-A+ctrl -> ('HLA-A',)
    STAT1_MT_CO1 -> ('MT-CO1', 'STAT1')
    STAT2g2 -> ('STAT2',)
    NTg4 -> ()
    T cell -> None
    """
    reader, cleaned = _reader(values, symbols), [_parts(value) for value in values]
    reads = [[reader.read(part) for part in parts] for parts in cleaned]
    alone = {key(read.genes[0]) for one in reads for read in one if len(read.genes) == 1}
    asked = _Asked(
        control=control,
        alone=alone,
        has_controls=control is not None or any(all(map(says_control, parts)) for parts in cleaned),
    )
    return [_reading(value, read, reader, asked=asked) for value, read in zip(values, reads, strict=True)]


def _reader(values: Sequence[str], symbols: Symbols) -> NameReader:
    numbered = sum(re.fullmatch(r".*[A-Za-z0-9]-\d+", value.strip()) is not None for value in values)
    capitals = sum(name == name.upper() for name in symbols.values())
    return NameReader(
        symbols,
        dashes_number_guides=2 * numbered >= len(values),
        symbol=HUMAN if 2 * capitals > len(symbols) else ANY_CASE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the other values of a column tell about one."""

    control: str | None
    """Value that was chosen as control."""
    alone: Collection[str]
    """Genes that some value names alone, by `key`."""
    has_controls: bool
    """Whether other cells are control beyond doubt."""


def _parts(value: str) -> list[str]:
    """Part a value where it names several genes, without positions in the genome."""
    text = ZYGOSITY.sub("", PLACE.sub(" ", value.translate(QUOTES)).strip())
    return [part.strip() for part in HARD.split(text)]


def _reading(value: str, read: Sequence[NameRead], reader: NameReader, *, asked: _Asked) -> Reading:
    if asked.control is not None and value == asked.control:
        return Reading(value=value, perturbation=CONTROL)
    said = _says_unknown(value, asked)
    if said is not None:
        return said
    trouble = _trouble(value, read, reader, asked=asked)
    if trouble:
        return _not_understood(value, trouble, NO_GENE)
    genes = {gene for one in read for gene in one.genes}
    found = _understood(value, tuple(sorted(genes)), reader, chosen=asked.control is not None)
    return _remarked(found, read) if genes else found


def _remarked(found: Reading, read: Sequence[NameRead]) -> Reading:
    """Say for what older symbols were taken."""
    remarks = (remark for one in read for remark in one.remarks)
    return replace(found, reason=" ".join(filter(None, [*remarks, found.reason])))


def _says_unknown(value: str, asked: _Asked) -> Reading | None:
    """Know values that say that nobody knows what was perturbed; None for others."""
    known = control_name(value)
    if known is not None and known.kind == "unguided" and asked.has_controls:
        return _not_understood(
            value, "It says that no guide was seen, and other cells are control.", UNGUIDED
        )
    if known is None and not is_label(value):
        return _not_understood(value, "It says that the perturbation is not known.", NOT_KNOWN)
    return None


def _trouble(value: str, read: Sequence[NameRead], reader: NameReader, *, asked: _Asked) -> str:
    """Say what was not understood, or is no pair; empty where all is well."""
    if _parts(value) == [""]:
        return "It names a place in the genome and no gene."
    doubts = (one.trouble or reader.doubt_of_pair(one.genes, asked.alone) for one in read)
    return next(filter(None, doubts), "")


def _not_understood(value: str, reason: str, why: str) -> Reading:
    return Reading(value=value, perturbation=None, reason=reason, why=why)


def _understood(value: str, perturbation: Perturbation, reader: NameReader, *, chosen: bool) -> Reading:
    """Say what a value names, or what speaks against it; `chosen` tells whether another value is control."""
    if perturbation == CONTROL and chosen:
        return _not_understood(value, "It names no gene and is not the chosen control.", NOT_CHOSEN)
    if len(perturbation) > MOST_TOGETHER:
        return _not_understood(value, f"It would be {counted(len(perturbation), 'gene')} together.", TOO_MANY)
    if perturbation == CONTROL:
        found = control_name(value)
        return Reading(value=value, perturbation=CONTROL, reason=found.remark if found else "")
    new = [gene for gene in perturbation if key(gene) not in reader.symbols]
    reason = f"Not among the genes of the dataset: {', '.join(new)}." if new else ""
    return Reading(value=value, perturbation=perturbation, reason=reason)


def guess_screen_column(folder: Path, columns: Sequence[ColumnInfo]) -> str | None:
    """Name the column of a dataset that most likely says which genes were perturbed; None where none does.

    Parameters
    ----------
    folder
        Folder of the dataset, whose genes are known.
    columns
        What is known of its columns, as in `DatasetInfo.columns`.
    """
    return guess_column(columns, symbols_in(folder))


def guess_column(infos: Sequence[ColumnInfo], symbols: Symbols | None = None) -> str | None:
    """Name the column that most likely says which genes were perturbed; None where none does.

    A column counts if it has control cells and at least two perturbations, of which the dataset knows one gene or
    more, and most of its values are understood.
    Among several, that with most perturbations is taken, then that with fewest values, which names no guides.
    """
    best: tuple[int, int] | None = None
    found = None
    for info in infos:
        n_perturbations = _n_perturbations(info.values, symbols or {})
        rank = (n_perturbations, -info.n_values)
        if n_perturbations and (best is None or rank > best):
            best, found = rank, info.name
    return found


def _n_perturbations(values: Sequence[str], symbols: Symbols) -> int:
    """Count the perturbations that values name; 0 where they make no screen."""
    read = read_values(values, symbols)
    understood = [one.perturbation for one in read if one.perturbation is not None]
    perturbations = set(understood) - {CONTROL}
    if CONTROL not in understood or len(perturbations) < 2 or 2 * len(understood) < len(read):
        return 0
    known = not symbols or any(key(gene) in symbols for one in perturbations for gene in one)
    return len(perturbations) if known else 0
