"""What the genes of a dataset are called: symbols, Ensembl ids, and of which species."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from scviz.datasets.gene_names import ENSEMBL as ENSEMBL
from scviz.datasets.gene_names import NUMBER as NUMBER
from scviz.datasets.gene_names import strip_version as strip_version
from scviz.datasets.gene_names import without_genomes, written
from scviz.datasets.species import Species as Species
from scviz.datasets.species import SpeciesGuess, species_of_genomes, species_of_ids, species_of_symbols

if TYPE_CHECKING:
    import pandas as pd

ENSEMBL_COLUMNS = ("ensembl_id", "gene_ids", "gene_id", "feature_id", "ensembl")
SYMBOL_COLUMNS = ("symbol", "gene_symbols", "gene_symbol", "feature_name", "gene_name", "gene_short_name")

OTHER_ID = re.compile(r"FBgn\d{7}|WBGene\d{8}", re.IGNORECASE)
"""Ids of flies and worms."""
FEWEST = 0.1
"""Share of genes that must have an identifier of a kind for the dataset to be said to have that kind."""
NO_NAME = frozenset({"", "nan", "none", "na", "<na>"})

Kind = Literal["symbol", "ensembl", "mixed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneIdentifiers:
    """The names of G genes, in the order of the dataset."""

    ensembl: tuple[str, ...] | None
    """(G,) Ensembl ids in upper case, without version; '' where unknown, None when none is known."""
    symbol: tuple[str, ...] | None
    """(G,) gene symbols as in the file; '' where unknown, None when none is known."""
    given: tuple[str, ...] = ()
    """(G,) names of the file, whatever they are; they stand for genes that have neither. May be left out."""

    def __len__(self) -> int:
        return len(self.ensembl or self.symbol or self.given)

    @property
    def names(self) -> tuple[str, ...]:
        """(G,) one name for each gene, none of them empty, none twice.

        It is the symbol, else the Ensembl id, else the name in the file, else the number of the gene. A symbol
        belongs to the first gene that has it; others are called by their Ensembl ids, or get -1, -2, ... appended.
        """
        empty = ("",) * len(self)
        kinds = zip(self.symbol or empty, self.ensembl or empty, self.given or empty, strict=True)
        taken: set[str] = set()
        names = []
        for number, words in enumerate(kinds, 1):
            own = [word for word in words if word.strip()] or [f"gene {number}"]
            names.append(next((word for word in own if word not in taken), own[0]))
            taken.add(names[-1])
        return tuple(unique_names(names))

    def has(self, kind: Literal["symbol", "ensembl"]) -> bool:
        """Tell whether more than one gene in ten has an identifier of a kind."""
        known = self.ensembl if kind == "ensembl" else self.symbol
        return sum(map(bool, known or ())) > FEWEST * len(self)


def identifiers(var: pd.DataFrame) -> GeneIdentifiers:
    """Find Ensembl ids and symbols in the index and in the columns of known names.

    Of each kind, the source that names most genes is taken. A tie goes to the index for Ensembl ids, and to a
    column for symbols, since symbols of the index may have been altered to make them unique. Genes that the
    source leaves unnamed are filled from the next one. A number is no symbol. Prefixes of genomes and blanks are
    taken off, and symbols joined with Ensembl ids are taken apart.

    Parameters
    ----------
    var
        G rows, one for each gene, as in `AnnData.var`.

    Examples
    --------
    >>> import pandas as pd
    >>> var = pd.DataFrame({"gene_ids": ["ENSG00000141510.18", ""]}, index=["TP53", "LOC1"])
    >>> identifiers(var)
    GeneIdentifiers(ensembl=('ENSG00000141510', ''), symbol=('TP53', 'LOC1'), given=('TP53', 'LOC1'))
    """
    index = tuple(str(name) for name in var.index)
    return _told(index, tuple(_columns(var, ENSEMBL_COLUMNS)), tuple(_columns(var, SYMBOL_COLUMNS)))


@lru_cache(maxsize=4)  # the same genes are asked for with every edit of a run
def _told(
    index: tuple[str, ...], of_ensembl: tuple[tuple[str, ...], ...], of_symbols: tuple[tuple[str, ...], ...]
) -> GeneIdentifiers:
    own = _parts(index)
    ensembl = [own.ensembl, *(_parts(names).ensembl for names in of_ensembl)]
    symbol = [*(_parts(names).symbol for names in of_symbols), own.symbol]
    return GeneIdentifiers(ensembl=_merged(ensembl), symbol=_merged(symbol), given=index)


def named(names: Sequence[str]) -> GeneIdentifiers:
    """Tell the symbols and the Ensembl ids among names that stand alone.

    Examples
    --------
    >>> named(["CD3E", "ENSG00000141510.18"])
    GeneIdentifiers(ensembl=('', 'ENSG00000141510'), symbol=('CD3E', ''), given=('CD3E', 'ENSG00000141510.18'))
    """
    own = _parts(names)
    return GeneIdentifiers(ensembl=_merged([own.ensembl]), symbol=_merged([own.symbol]), given=tuple(names))


def kind_of(names: Sequence[str]) -> Kind:
    """Tell what most names are: nine in ten decide, a blend is "mixed", numbers are "unknown".

    Examples
    --------
    >>> kind_of(["CD3E", "MS4A1"]), kind_of(["ENSG00000198851.10"]), kind_of(["0", "1"])
    ('symbol', 'ensembl', 'unknown')
    """
    if not names:
        return "unknown"
    ensembl = ensembl_share(names)
    if ensembl > 0.9:
        return "ensembl"
    if sum(not NUMBER.fullmatch(name) for name in names) < 0.5 * len(names):
        return "unknown"
    return "symbol" if ensembl < 0.1 else "mixed"


def ensembl_share(names: Sequence[str]) -> float:
    """Return the share of names that are Ensembl ids, from 0 to 1."""
    return sum(ENSEMBL.fullmatch(name) is not None for name in names) / max(len(names), 1)


def n_repeated(names: Iterable[str]) -> int:
    """Count the names that occur more than once.

    Examples
    --------
    >>> n_repeated(["A", "B", "A", "A"])
    1
    """
    names = list(names)
    if len(set(names)) == len(names):  # three times as fast, and the usual case
        return 0
    return sum(count > 1 for count in Counter(names).values())


def unique_names(names: Sequence[str]) -> list[str]:
    """Append -1, -2, ... to the second and later use of a name.

    Examples
    --------
    >>> unique_names(["A", "B", "A", "A-1", "A"])
    ['A', 'B', 'A-2', 'A-1', 'A-3']
    """
    taken, seen, last = set(names), set[str](), Counter[str]()
    result = []
    for name in names:
        new = name
        while new in seen or (new != name and new in taken):
            last[name] += 1
            new = f"{name}-{last[name]}"
        seen.add(new)
        result.append(new)
    return result


@lru_cache(maxsize=16)
def guess_species(ids: GeneIdentifiers) -> SpeciesGuess:
    """Tell the species by Ensembl ids where there are many, by genomes in front of names, or else by symbols.

    Examples
    --------
    >>> guess_species(GeneIdentifiers(ensembl=("ENSMUSG00000059552",), symbol=None)).species
    'mouse'
    """
    symbols = [name for name in ids.symbol or () if name[:1].isalnum()]
    ensembl = [*filter(None, ids.ensembl or ()), *filter(OTHER_ID.fullmatch, symbols)]
    genomes = species_of_genomes(ids.given or symbols)
    if genomes is not None:
        return genomes
    if ensembl and len(ensembl) >= len(symbols) / 2:
        return species_of_ids(ensembl)
    return species_of_symbols(symbols)


def _columns(var: pd.DataFrame, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the columns of these names, in any case, as strings with '' for what is missing."""
    by_name = {str(column).lower(): column for column in reversed(var.columns)}
    for name in wanted:
        if name in by_name:
            column = var[by_name[name]]
            if column.dtype.kind not in "fiub":
                yield tuple(column.astype(object).where(column.notna(), "").astype(str))


@dataclass(frozen=True, slots=True)
class _Parts:
    """Names taken apart: ids and symbols, '' where a name has none."""

    ensembl: list[str]
    symbol: list[str]


def _parts(names: Sequence[str]) -> _Parts:
    taken = [written(name) for name in without_genomes(names)]
    symbols = [one.symbol for one in taken]
    return _Parts(
        ensembl=[one.ensembl for one in taken],
        symbol=["" if _is_no_symbol(symbol) else symbol for symbol in symbols],
    )


def _is_no_symbol(name: str) -> bool:
    return name.lower() in NO_NAME or bool(NUMBER.fullmatch(name))


def _merged(sources: Sequence[list[str]]) -> tuple[str, ...] | None:
    """Take the source with most names, the earlier one when they tie, and fill its gaps from the others."""
    ordered = sorted(sources, key=lambda names: -sum(name[:1].isalpha() for name in names))
    merged = ordered[0]
    for names in ordered[1:]:
        if "" in merged:
            merged = [name or other for name, other in zip(merged, names, strict=True)]
    return tuple(merged) if any(merged) else None
