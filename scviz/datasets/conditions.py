"""Which genes were perturbed in a cell, read from what a column says about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scviz.datasets.columns import cell_column, gene_identifiers
from scviz.datasets.genes import NUMBER, GeneIdentifiers, strip_version
from scviz.datasets.labels import is_label
from scviz.datasets.screen import CONTROL, Perturbation
from scviz.datasets.tables import Column
from scviz.workspace import ColumnInfo

CONTROLS = (
    "ctrl",
    "control",
    "nt",
    "non-targeting",
    "non_targeting",
    "nontargeting",
    "unperturbed",
    "negctrl",
)
"""Names of cells that were not perturbed, in small letters."""
OTHER_CONTROLS = ("ntc", "non targeting", "non-target", "neg-ctrl", "neg_ctrl", "safe-targeting", "scramble")
"""Less common ones; these and the ones above may carry the number of a guide."""
UNTREATED = (
    "controls",
    "negative control",
    "negative_control",
    "wt",
    "wildtype",
    "mock",
    "untreated",
    "no guide",
)
"""Names that are control only as they stand: WT1 is a gene."""

GUIDE = re.compile(r"(?:(?i:sgrna|grna|sg|guide|g|rep)[-_]?)?\d+|p[A-Z]{2}\d+|(?i:sgrna|grna|sg|guide)")
"""Words that number a guide, or a plasmid."""
HOW = frozenset({"KO", "KD", "OE", "ko", "kd", "oe", "P1", "P2", "P1P2", "CRISPRi", "CRISPRa", "CRISPR"})
"""Words that say how a gene was perturbed, or at which of its promoters."""
GLUED_GUIDE = re.compile(r"(?P<gene>.+?)(g\d+|[-.](g|sg)?\d+|[-.](KO|KD|OE))")
HUMAN = re.compile(r"[A-Z][A-Z0-9]*[A-Z0-9](orf\d+)?([-.][A-Z0-9]+)*")
"""What an unknown gene looks like: capital letters and digits, two or more."""
ANY_CASE = re.compile(r"[A-Z][A-Za-z0-9]+([-.][A-Za-z0-9]+)*")
"""The same where the known genes are not in capital letters, as those of mice."""
HARD = re.compile(r"[+;,|&]")
SOFT = re.compile(r"[_\s/]+")

FEWEST_CELLS = 5
"""Perturbations with fewer cells are left out: their mean would be chance."""
MOST_TOGETHER = 4
"""A value that names more genes is no perturbation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one value of a column says."""

    value: str
    perturbation: Perturbation | None
    """None where it was not understood."""
    reason: str = ""
    """Why not, a sentence; or what is doubtful, where it was."""
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
    def n_left_out(self) -> int:
        """Cells whose value was not understood, or that have none."""
        return self.n_missing + sum(one.n_cells for one in self.readings if one.perturbation is None)


Symbols = Mapping[str, str]
"""The symbol of each gene by the names that it may have, in the form of `key`."""


def key(name: str) -> str:
    """Write a name so that letter case and `_` or `-` make no difference.

    Examples
    --------
    >>> key("mt_Co1") == key("MT-CO1")
    True
    """
    return strip_version(name.strip()).replace("_", "-").upper()


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


def conditions_of(folder: Path, column: str, control: str = "") -> Conditions:
    """Read the perturbation that each value of a column of a dataset names; see `read_conditions`."""
    symbols = symbols_of(gene_identifiers(folder))
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
            Reading(
                value=one.value, perturbation=one.perturbation, reason=one.reason, n_cells=int(counts[place])
            )
            for one, place in zip(read, order, strict=True)
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
    numbered = sum(re.fullmatch(r".*[A-Za-z0-9]-\d+", value.strip()) is not None for value in values)
    capitals = sum(name == name.upper() for name in symbols.values())
    reader = _Reader(
        symbols,
        dashes_number_guides=2 * numbered >= len(values),
        symbol=HUMAN if 2 * capitals > len(symbols) else ANY_CASE,
    )
    return [_reading(value, reader, control) for value in values]


def _reading(value: str, reader: _Reader, control: str | None) -> Reading:
    if control is not None and value == control:
        return Reading(value=value, perturbation=CONTROL)
    if not is_label(value):
        return Reading(value=value, perturbation=None, reason="It says that the perturbation is not known.")
    genes: set[str] = set()
    for part in map(str.strip, HARD.split(value)):
        for gene in reader.genes(part):
            if gene is None:
                reason = f"{part or 'An empty part'} is not the name of a gene."
                return Reading(value=value, perturbation=None, reason=reason)
            genes.add(gene)
    return _understood(value, tuple(sorted(genes)), reader, chosen=control is not None)


def _understood(value: str, perturbation: Perturbation, reader: _Reader, *, chosen: bool) -> Reading:
    """Say what a value names, or what speaks against it; `chosen` tells whether another value is control."""
    reason = ""
    if perturbation == CONTROL and chosen:
        reason = "It names no gene and is not the chosen control."
    elif len(perturbation) > MOST_TOGETHER:
        reason = f"It would be {len(perturbation)} genes together."
    if reason:
        return Reading(value=value, perturbation=None, reason=reason)
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
    return guess_column(columns, symbols_of(gene_identifiers(folder)))


def guess_column(infos: Sequence[ColumnInfo], symbols: Symbols | None = None) -> str | None:
    """Name the column that most likely says which genes were perturbed; None where none does.

    A column counts if it has control cells and at least two perturbations, and most of its values are understood.
    Among several, that with most perturbations is taken, then that with fewest values, which names no guides.
    """
    best: tuple[int, int] | None = None
    found = None
    for info in infos:
        read = read_values(info.values, symbols or {})
        understood = [one.perturbation for one in read if one.perturbation is not None]
        perturbations = set(understood) - {CONTROL}
        if CONTROL not in understood or len(perturbations) < 2 or 2 * len(understood) < len(read):
            continue
        rank = (len(perturbations), -info.n_values)
        if best is None or rank > best:
            best, found = rank, info.name
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Knows genes, and how the column numbers guides."""

    symbols: Symbols
    dashes_number_guides: bool
    symbol: re.Pattern[str]
    """What an unknown gene looks like."""

    def genes(self, part: str) -> Iterator[str | None]:
        """Name the genes of a part of a value; nothing for control, None for what is no gene."""
        if self.is_control(part):
            return
        if key(part) in self.symbols:
            yield self.symbols[key(part)]
            return
        words = [word for word in SOFT.split(re.sub(r"^(sgRNA|gRNA|sg)[-_ ]?(?=[A-Z0-9])", "", part)) if word]
        if not words:
            yield None
        start = 0
        while start < len(words):
            stop = self._longest(words, start)
            if stop:
                yield self.symbols[key("-".join(words[start:stop]))]
            elif not self._says_no_gene(words[start], first=start == 0):
                yield from self._of_word(words[start])
            start = stop or start + 1

    def is_control(self, name: str) -> bool:
        """Tell whether a name, a guide's number aside, is one of control."""
        plain = name.strip().lower()
        bare = re.sub(r"[-_ ]?(sg|guide|g)?[-_ ]?\d+$", "", re.sub(r"^(sg|grna)[-_ ]?", "", plain))
        if plain in (*CONTROLS, *OTHER_CONTROLS, *UNTREATED):
            return True
        return bare in (*CONTROLS, *OTHER_CONTROLS) and key(name) not in self.symbols

    def _longest(self, words: Sequence[str], start: int) -> int:
        """Find where the longest known gene ends that begins at a word; 0 where none does."""
        for stop in range(len(words), start, -1):
            if key("-".join(words[start:stop])) in self.symbols:
                return stop
        return 0

    def _says_no_gene(self, word: str, *, first: bool) -> bool:
        """Tell whether a word numbers a guide, says how, or is control."""
        return self.is_control(word) or (not first and (word in HOW or GUIDE.fullmatch(word) is not None))

    def _of_word(self, word: str) -> Iterator[str | None]:
        glued = GLUED_GUIDE.fullmatch(word)
        if glued and (key(glued["gene"]) in self.symbols or self._is_guide(word, glued["gene"])):
            gene = glued["gene"]
            yield self.symbols.get(key(gene), gene if self.symbol.fullmatch(gene) else None)
            return
        halves = word.split("-")
        if len(halves) > 1 and all(key(half) in self.symbols for half in halves):
            yield from (self.symbols[key(half)] for half in halves)
            return
        yield word if self.symbol.fullmatch(word) else None

    def _is_guide(self, word: str, gene: str) -> bool:
        """Tell whether the end of an unknown name is a guide's number: `STAT2g2`, not Atg5 or NKX2-1."""
        end = word[len(gene) :]
        if end.startswith("g"):
            return gene == gene.upper()
        return not end[1:].isdigit() or (self.dashes_number_guides and end[0] == "-")
