"""Find the genes of a dataset among those of a list, such as a model's vocabulary, by every name that they had."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.gene_table import (
    HOWS,
    UNKNOWN,
    Found,
    GeneTable,
    How,
    find_gene,
    gene_table,
    spelling,
)
from scviz.datasets.genes import ENSEMBL, GeneIdentifiers, guess_species
from scviz.datasets.species import species_of_ids, species_of_symbols

REPEATED = re.compile(r"(.+)[-.]\d{1,2}")
"""What R and scanpy append to the second and later use of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A gene that goes by two names."""

    old: str
    """As the dataset has it."""
    new: str
    """As it is known."""
    how: How
    """By what the old name is known."""
    also: tuple[str, ...] = ()
    """Symbols of other genes that have the old name as a mere alias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A name that several genes have; it is left as it is."""

    name: str
    genes: tuple[str, ...]
    """Their symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Where the genes of a dataset stand in a list."""

    places: NDArray[np.int64]
    """(G,) place of each gene in the list; -1 where it has none."""
    renames: tuple[Rename, ...] = ()
    """Genes that were found by another name than that of the list."""
    repeated: tuple[Rename, ...] = ()
    """Genes without a place since another gene of the dataset, whose name is surer, has it."""
    ambiguous: tuple[Ambiguous, ...] = ()
    """Names without a place since several genes have them."""


def match_further(ids: GeneIdentifiers, genes: tuple[str, ...], found: NDArray[np.int64]) -> Matched:
    """Find genes that have no place yet by the names they had: Ensembl id, symbol, former symbol, alias, spelling.

    Of two genes that lead to one place the one found before has it, then the one whose name is surest. Genes of
    one species are not looked for among those of another.

    Parameters
    ----------
    ids
        The names of the G genes of a dataset.
    genes
        (V,) names in the list.
    found
        (G,) places that are known already; -1 where there is none.
    """
    search = _Search.of(ids, genes) if (found < 0).any() else None
    if search is None:
        return Matched(places=found)
    names, places = ids.names, found.copy()
    genes_of = {column: search.gene_of(column) for column in np.flatnonzero(found < 0).tolist()}
    taken = {int(place) for place in found[found >= 0]}
    renames: list[Rename] = []
    repeated: list[Rename] = []
    ambiguous = []
    for column, gene in sorted(genes_of.items(), key=lambda one: (HOWS.index(one[1].how), one[0])):
        place = search.place_of(gene, column)
        if len(gene.genes) > 1:
            ambiguous.append(Ambiguous(name=names[column], genes=search.table.symbols_of(gene.genes)))
        if place < 0:
            continue
        rename = search.rename(names[column], gene, place)
        (repeated if place in taken else renames).append(rename)
        if place not in taken:
            places[column] = place
        taken.add(place)
    return Matched(
        places=places, renames=tuple(renames), repeated=tuple(repeated), ambiguous=tuple(ambiguous)
    )


def match_list(ids: GeneIdentifiers, genes: tuple[str, ...]) -> Matched:
    """Find the genes of a dataset in a list of symbols or of Ensembl ids: as they are written, then by other names."""
    at = {gene: place for place, gene in enumerate(genes)}
    kinds = (ids.ensembl, ids.symbol) if genes and ENSEMBL.fullmatch(genes[0]) else (ids.symbol, ids.ensembl)
    found = np.full(len(ids), -1, dtype=np.int64)
    if (
        ids.given and kinds[0] is ids.symbol
    ):  # a list may hold names that are taken apart elsewhere: MT-CO1__chrM
        found = np.array([at.get(name, -1) for name in ids.given], dtype=np.int64)
    for names in kinds:
        more = np.array([at.get(name, -1) for name in names or ("",) * len(ids)], dtype=np.int64)
        found = np.where((found < 0) & ~np.isin(more, found), more, found)
    return match_further(ids, genes, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vocabulary:
    """A list of genes, with the table of its species."""

    table: GeneTable
    place_of: Mapping[int, int]
    """Places in the list by genes of the table."""


@lru_cache(maxsize=16)
def _vocabulary(genes: tuple[str, ...]) -> _Vocabulary:
    """Look the names of a list up; of two that one gene had, the surer one leads to it."""
    of_ids = sum(gene.startswith("ENS") for gene in genes) > len(genes) / 2
    guess = species_of_ids(genes) if of_ids else species_of_symbols(genes)
    table = gene_table("mouse" if guess.species == "mouse" else "human")
    places = {name: place for place, name in enumerate(genes)}
    best: dict[int, tuple[int, int]] = {}
    for name in places.keys() - table.by_symbol.keys():
        found = _as_written(table, name)
        if len(found.genes) == 1:
            gene = found.genes[0]
            outdated = found.how != "Ensembl id" or table.ensembl(gene) != name
            rank = (HOWS.index(found.how) + outdated, places[name])
            best[gene] = min(rank, best.get(gene, rank))
    by_symbol = {table.by_symbol[name]: places[name] for name in places.keys() & table.by_symbol.keys()}
    return _Vocabulary(table=table, place_of={gene: place for gene, (_, place) in best.items()} | by_symbol)


def _as_written(table: GeneTable, name: str) -> Found:
    """Find the gene of a name of a list, in no other spelling: lists are well written."""
    found = table.find(name)
    return find_gene(table, name) if not found.genes and "_ENS" in name else found


@lru_cache(maxsize=16)
def _spelled(genes: tuple[str, ...]) -> dict[str, int]:
    """Find the names of a list by their `spelling`, where no other name of it is spelled so."""
    keys = [spelling(gene) for gene in genes]
    places = dict(zip(keys, range(len(keys)), strict=True))
    return (
        places
        if len(places) == len(keys)
        else {key: places[key] for key, n in Counter(keys).items() if n == 1}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A dataset whose genes are looked for in a list."""

    ids: GeneIdentifiers
    genes: tuple[str, ...]
    vocabulary: _Vocabulary
    not_respelled: Collection[str]
    """Names that are right as they are written, in another species; they are not taken for a slip."""
    own: frozenset[str] = field(default_factory=frozenset)
    """All symbols of the dataset."""

    @classmethod
    def of(cls, ids: GeneIdentifiers, genes: tuple[str, ...]) -> _Search | None:
        """Begin a search; None where the genes of the dataset are of another species than those of the list."""
        vocabulary = _vocabulary(genes)
        guess = guess_species(ids)
        species = vocabulary.table.species
        if guess.called and species not in guess.called.split(" and "):
            return None
        other = gene_table("human" if species == "mouse" else "mouse").by_symbol
        return cls(
            ids=ids,
            genes=genes,
            vocabulary=vocabulary,
            not_respelled=() if guess.species == species else other,
            own=frozenset(ids.symbol or ()),
        )

    @property
    def table(self) -> GeneTable:
        return self.vocabulary.table

    def symbol(self, column: int) -> str:
        """Give the symbol of a gene; empty where it has none."""
        return self.ids.symbol[column] if self.ids.symbol else ""

    def rename(self, old: str, gene: Found, place: int) -> Rename:
        """Tell by which name a gene was found at a place of the list."""
        how = gene.how if gene.genes else "other spelling"
        return Rename(old=old, new=self.genes[place], how=how, also=self.table.symbols_of(gene.also))

    def gene_of(self, column: int) -> Found:
        """Find a gene of the dataset in the table: by its id, else by its symbol."""
        ensembl = self.ids.ensembl[column] if self.ids.ensembl else ""
        gene = self.table.of_id(ensembl) if ensembl else None
        if gene is not None:
            return Found(genes=(gene,), how="Ensembl id")
        return find_among(self.table, self.symbol(column), own=self.own, not_respelled=self.not_respelled)

    def place_of(self, gene: Found, column: int) -> int:
        """Find the place of a gene in the list, of one without a gene by the spelling of its name; -1 if none."""
        if len(gene.genes) == 1 and gene.genes[0] in self.vocabulary.place_of:
            return self.vocabulary.place_of[gene.genes[0]]
        symbol = self.symbol(column)
        if len(gene.genes) > 1 or not symbol or symbol in self.not_respelled:
            return -1
        return _spelled(self.genes).get(spelling(symbol), -1)


def find_among(
    table: GeneTable, name: str, *, own: Collection[str] = (), not_respelled: Collection[str] = ()
) -> Found:
    """Find the gene of a name of a dataset.

    Parameters
    ----------
    table
        The genes of a species.
    name
        A name without the prefix of a genome; may be empty.
    own
        All names of the dataset: TAP2.1 is TAP2 once more where TAP2 is among them.
    not_respelled
        Names that are right as they are, in another species.
    """
    if not name:
        return UNKNOWN
    found = table.find(name)
    if found.how not in ("alias", "unknown"):
        return found
    place = table.respelled(name)
    if place is not None and place not in found.genes:
        return _respelled(table, place, found, own=own, right=name in not_respelled)
    if found.genes:
        return table.aliases_of_any_case(name)
    if name in not_respelled:
        return UNKNOWN
    repeat = REPEATED.fullmatch(name)
    return find_gene(table, repeat[1] if repeat and repeat[1] in own else name)


def _respelled(table: GeneTable, place: int, alias: Found, *, own: Collection[str], right: bool) -> Found:
    """Decide between an approved symbol in another spelling and another gene that has the name for an alias.

    AGT of a mouse is Agt, in capital letters, and not Mgmt, which was called AGT too. Where the dataset has that
    symbol as well, nobody knows.
    """
    if right:
        return UNKNOWN
    if alias.genes and table.symbols[place] in own:
        return Found(genes=(place, *alias.genes), how="alias")
    return Found(genes=(place,), how="other spelling")
