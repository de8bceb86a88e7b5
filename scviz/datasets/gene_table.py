"""Every name that human and mouse genes have and had: the tables of `assets/genes`, read when first asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.gene_names import ENSEMBL, date_words, is_serial_date, written
from scviz.settings import ROOT

FOLDER = ROOT / "assets" / "genes"
SOURCES = {
    "human": "HGNC of 25 June 2026, Ensembl ids replaced since 2021 with it",
    "mouse": "MGI of June 2026",
}
"""Where the tables come from; `assets/genes/README.md` says more."""
PROTEIN_CODING = 0
"""Biotype of genes that make a protein."""
IDS = {"human": "ENSG", "mouse": "ENSMUSG"}
"""What Ensembl ids of a species begin with."""

TableSpecies = Literal["human", "mouse"]
How = Literal[
    "symbol", "Ensembl id", "former symbol", "alias", "other spelling", "date of a spreadsheet", "unknown"
]
"""By what a name is known, the surest first."""
HOWS: tuple[How, ...] = (
    "symbol",
    "Ensembl id",
    "former symbol",
    "alias",
    "other spelling",
    "date of a spreadsheet",
    "unknown",
)
_DOTS = str.maketrans(dict.fromkeys("-_ /()[]',:;@+*", "."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Which gene a name stands for."""

    genes: tuple[int, ...] = ()
    """Places in the table: one where it is known, several where the name is ambiguous, none where it is unknown."""
    how: How = "unknown"
    also: tuple[int, ...] = ()
    """Other genes that have a former symbol as a mere alias; the symbol once approved goes before it."""


UNKNOWN = Found()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Other names of one kind."""

    one: Mapping[str, int]
    """Names of one gene."""
    several: Mapping[str, tuple[int, ...]]
    """Names of several genes."""

    def genes(self, word: str) -> tuple[int, ...]:
        """Give the genes of this name."""
        place = self.one.get(word)
        return (place,) if place is not None else self.several.get(word, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneTable:
    """The T genes of one species."""

    species: TableSpecies
    symbols: tuple[str, ...]
    """(T,) approved symbols, each different."""
    numbers: NDArray[np.int64]
    """(T,) digits of Ensembl ids; 0 where there is none."""
    biotypes: NDArray[np.uint8]
    """(T,) kinds of genes; `PROTEIN_CODING` is one."""
    by_symbol: Mapping[str, int]
    by_number: Mapping[int, int]
    """Genes by the digits of Ensembl ids, of retired ones too."""
    former: Words
    """Symbols that were approved once, none of them approved now."""
    alias: Words
    """Names that never were approved, none of them approved now."""

    def symbols_of(self, places: Sequence[int]) -> tuple[str, ...]:
        """Give the symbols of some genes."""
        return tuple(self.symbols[place] for place in places)

    def ensembl(self, place: int) -> str:
        """Give the Ensembl id of a gene; empty where it has none."""
        number = int(self.numbers[place])
        return f"{IDS[self.species]}{number:011d}" if number else ""

    def of_id(self, ensembl: str) -> int | None:
        """Find a gene by its Ensembl id, an outdated one too."""
        start = IDS[self.species]
        if not ensembl.startswith(start) or len(ensembl) != len(start) + 11:
            return None
        return self.by_number.get(int(ensembl[len(start) :]))

    def find(self, name: str) -> Found:
        """Find the gene of a name as it is written: a symbol before a former one before an alias.

        Examples
        --------
        >>> table = gene_table("human")
        >>> [table.symbols[i] for i in table.find("SEPT2").genes], table.find("SEPT2").how
        (['SEPTIN2'], 'former symbol')
        >>> sorted(table.symbols[i] for i in table.find("QARS").genes)
        ['EPRS1', 'QARS1']
        """
        place = self.by_symbol.get(name)
        if place is not None:
            return Found(genes=(place,), how="symbol")
        if name[:3] == "ENS" and ENSEMBL.fullmatch(name):
            place = self.of_id(name)
            return UNKNOWN if place is None else Found(genes=(place,), how="Ensembl id")
        former, alias = self.former.genes(name), self.alias.genes(name)
        if former:
            return Found(
                genes=former, how="former symbol", also=tuple(one for one in alias if one not in former)
            )
        return Found(genes=alias, how="alias") if alias else UNKNOWN

    def guess(self, name: str) -> Found:
        """Find the gene of a name that is written in another way.

        Small and capital letters, hyphens that R made dots, an X that R put before a digit, dates that were
        symbols.

        Examples
        --------
        >>> table = gene_table("human")
        >>> [table.symbols[table.guess(name).genes[0]] for name in ("hla.dra", "cd3e", "X7SK", "2-Sep")]
        ['HLA-DRA', 'CD3E', 'RN7SK', 'SEPTIN2']
        >>> [table.symbols[i] for i in table.guess("1-Mar").genes]
        ['MARCHF1', 'MTARC1']
        """
        spellings = _spellings(self.species)
        words = [name, name[1:]] if name[:1] in "Xx" and name[1:2].isdigit() else [name]
        for word in words:
            if genes := spellings.get(spelling(word)):
                return Found(genes=genes, how="other spelling")
        return self._of_date(name)

    def respelled(self, name: str) -> int | None:
        """Find the gene whose approved symbol this is when letter case and the signs between do not matter.

        Examples
        --------
        >>> table = gene_table("mouse")
        >>> [table.symbols[table.respelled(name)] for name in ("AGT", "NKX2.1")], table.respelled("TAZ")
        (['Agt', 'Nkx2-1'], None)
        """
        places = _spellings(self.species).get(spelling(name), ())
        alike = [place for place in places if spelling(self.symbols[place]) == spelling(name)]
        return alike[0] if len(alike) == 1 else None

    def aliases_of_any_case(self, name: str) -> Found:
        """Find the genes of an alias that is not written as aliases of the species are: none is guessed.

        Examples
        --------
        >>> table = gene_table("mouse")
        >>> [[table.symbols[i] for i in table.aliases_of_any_case(name).genes] for name in ("TAZ", "p53")]
        [['Wwtr1', 'Tafazzin'], ['Trp53']]
        """
        exact = self.alias.genes(name)
        unlike = name.isupper() if self.species == "mouse" else name.islower()
        more = _spellings(self.species).get(spelling(name), ()) if unlike else ()
        return Found(genes=tuple(dict.fromkeys((*exact, *more))), how="alias")

    def _of_date(self, name: str) -> Found:
        """Find the genes that a spreadsheet may have made this date of, those of the surest words."""
        found = [self._spelled(word) for word in date_words(name)]
        surest = min((HOWS.index(one.how) for one in found), default=0)
        genes = dict.fromkeys(i for one in found if HOWS.index(one.how) == surest for i in one.genes)
        return Found(genes=tuple(genes), how="date of a spreadsheet") if genes else UNKNOWN

    def _spelled(self, word: str) -> Found:
        """Find a word as it is written, and in small letters as mouse symbols are."""
        found = self.find(word)
        return found if found.genes else self.find(word.capitalize())


@lru_cache(maxsize=2)
def gene_table(species: TableSpecies) -> GeneTable:
    """Read the table of a species: 0.1 s the first time, nothing afterwards."""
    with np.load(FOLDER / f"{species}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    symbols = lines(arrays["symbols"])
    numbers = arrays["ensembl"]
    by_number = dict(zip(arrays["retired"].tolist(), arrays["retired_genes"].tolist(), strict=True))
    by_number |= dict(zip(numbers[::-1].tolist(), range(len(symbols) - 1, -1, -1), strict=True))
    by_number.pop(0, None)
    return GeneTable(
        species=species,
        symbols=tuple(symbols),
        numbers=numbers,
        biotypes=arrays["biotypes"],
        by_symbol=dict(zip(symbols, range(len(symbols)), strict=True)),
        by_number=by_number,
        former=_words(arrays, "prev"),
        alias=_words(arrays, "alias"),
    )


def lines(array: NDArray[np.uint8]) -> list[str]:
    """Read words from an array of bytes, (B,), a line each."""
    return array.tobytes().decode().split("\n") if len(array) else []


def _words(arrays: Mapping[str, NDArray[np.generic]], kind: str) -> Words:
    words = lines(arrays[f"{kind}_words"].astype(np.uint8, copy=False))
    several = [line.split("\t") for line in lines(arrays[f"{kind}_several"].astype(np.uint8, copy=False))]
    return Words(
        one=dict(zip(words, arrays[f"{kind}_genes"].tolist(), strict=True)),
        several={word: tuple(map(int, places)) for word, *places in several},
    )


def spelling(name: str) -> str:
    """Give what is left of a name when letters and signs between them do not matter.

    Examples
    --------
    >>> spelling("HLA-A"), spelling("hla.a"), spelling("Y_RNA")
    ('HLA.A', 'HLA.A', 'Y.RNA')
    """
    return name.upper().translate(_DOTS)


@lru_cache(maxsize=2)
def folded(species: TableSpecies) -> frozenset[str]:
    """Give the approved symbols of a species in capital letters."""
    return frozenset(symbol.upper() for symbol in gene_table(species).symbols)


@lru_cache(maxsize=2)
def _spellings(species: TableSpecies) -> dict[str, tuple[int, ...]]:
    """Find genes by `spelling`: of symbols, of former ones where no symbol is so spelled, then of aliases."""
    table = gene_table(species)
    levels = (
        table.by_symbol.items(),
        [*table.former.one.items(), *_pairs(table.former)],
        [*table.alias.one.items(), *_pairs(table.alias)],
    )
    known: dict[str, tuple[int, ...]] = {}
    for level in levels:
        own: dict[str, int] = {}
        clashes: dict[str, dict[int, None]] = {}
        for word, place in level:
            key = spelling(word)
            if own.setdefault(key, place) != place:
                clashes.setdefault(key, {own[key]: None})[place] = None
        new = {key: (place,) for key, place in own.items()} | {k: tuple(v) for k, v in clashes.items()}
        known = new | known
    return known


def _pairs(words: Words) -> list[tuple[str, int]]:
    return [(word, place) for word, places in words.several.items() for place in places]


def find_gene(table: GeneTable, name: str) -> Found:
    """Find a gene by whatever a dataset writes: as it is, taken apart, or in another spelling."""
    found = table.find(name)
    if found.genes or is_serial_date(name):
        return found
    parts = written(name)
    place = table.of_id(parts.ensembl) if parts.ensembl else None
    if place is not None:
        return Found(genes=(place,), how="Ensembl id")
    if not parts.symbol:
        return UNKNOWN
    found = table.find(parts.symbol)
    return found if found.genes else table.guess(parts.symbol)
