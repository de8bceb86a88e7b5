"""Search the genes of a dataset while a name is typed: by any name that they have or had, milliseconds a keystroke."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_identifiers, gene_names, n_cells_seen, names_in_file
from scviz.datasets.gene_table import GeneTable, TableSpecies, Words, gene_table
from scviz.datasets.genes import GeneIdentifiers
from scviz.workspace import DatasetInfo
from scviz.workspace.records import read_json

How = Literal["name", "symbol", "Ensembl id", "name in the file", "former symbol", "alias"]
HOWS: tuple[How, ...] = ("name", "symbol", "Ensembl id", "name in the file", "former symbol", "alias")
"""By which name a gene is found, the surest first."""
OLDER = HOWS.index("former symbol")
"""From here on, names that the gene does not bear in the dataset."""
MOST_OFFERS = 50
FEWEST_LETTERS = 2
"""Of a text that is looked for within names: one letter stands in most of them."""
LAST = "\U0010ffff"
"""Sorts behind every letter."""
_VERSION = re.compile(r"(ens[a-z]*\d{11})-.*")
_SIGNS = str.maketrans("_.", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A gene that the typed text may mean."""

    gene: str
    """Its name in the dataset."""
    word: str
    """The name by which it was found, as it is written."""
    how: How
    n_cells: int
    """Cells in which it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneIndex:
    """The W names of G genes in the order of the alphabet."""

    names: tuple[str, ...]
    """(G,) as the dataset has them."""
    n_cells: NDArray[np.int64]
    """(G,) cells in which each was seen."""
    ranks: NDArray[np.int64]
    """(G,) places of their names in the alphabet: they decide between genes of as many cells."""
    words: tuple[str, ...]
    """(W,) sorted, written as `_folded` does."""
    written: tuple[str, ...]
    """(W,) the same as they are written."""
    genes: NDArray[np.int64]
    """(W,) the gene of each."""
    hows: NDArray[np.int64]
    """(W,) places in HOWS."""
    text: str
    """The words, a line each."""
    starts: NDArray[np.int64]
    """(W,) where each begins in the text."""

    def search(self, typed: str, limit: int = MOST_OFFERS) -> list[Offer]:
        """Offer genes for what was typed, in any case, an Ensembl id with or without its version.

        Exact names come first, then names that begin with the text, then those that contain it (two letters at
        least); of each the names of the dataset before former symbols and aliases, and genes of many cells before
        those of few. Of exact names, those that are written as the text is come before all others. A gene is offered
        once.

        Examples
        --------
        >>> index = make_index(("MS4A1", "CD2", "CD27"), n_cells=np.array([3, 9, 5]), species="human")
        >>> [(one.word, one.gene) for one in index.search("cd2")]
        [('CD2', 'CD2'), ('CD27', 'CD27'), ('CD20', 'MS4A1')]
        """
        wanted = _folded(typed)
        if not wanted:
            return []
        low, high = bisect_left(self.words, wanted), bisect_left(self.words, wanted + LAST)
        exact = bisect_right(self.words, wanted) - low
        found = np.arange(low, high)
        tiers = np.where(np.arange(high - low) < exact, 0, 2)
        order = self._ranked(found, tiers, typed)
        if len(order) < limit and len(wanted) >= FEWEST_LETTERS:
            within = np.setdiff1d(self._within(wanted), found)
            found, tiers = np.concatenate([found, within]), np.concatenate([tiers, np.full(len(within), 4)])
            order = self._ranked(found, tiers, typed)
        return [self._offer(int(at)) for at in order[:limit]]

    def named(self, text: str) -> str:
        """Return the gene of this very name, else the one of this name in any case; empty where none has it.

        Examples
        --------
        >>> index = make_index(("CD3E", "Cd3e"), n_cells=np.array([9, 3]), species=None)
        >>> index.named("Cd3e"), index.named("cd3e")
        ('Cd3e', 'CD3E')
        """
        first = next(iter(self.search(text, 1)), None)
        return first.gene if first is not None and _folded(first.word) == _folded(text) else ""

    def _ranked(self, found: NDArray[np.int64], tiers: NDArray[np.int64], typed: str) -> NDArray[np.int64]:
        """Order words, (w,), the best of each gene only, (g,); a tier of 0 is an exact name."""
        genes, hows = self.genes[found], self.hows[found]
        unlike = np.zeros(len(found), dtype=np.int64)
        for at in np.flatnonzero(tiers == 0):
            unlike[at] = self._unlike(int(found[at]), typed)
        tiers = tiers + (hows >= OLDER)
        order = np.lexsort((hows, self.ranks[genes], -self.n_cells[genes], unlike, tiers))
        _, first = np.unique(genes[order], return_index=True)
        return found[order[np.sort(first)]]

    def _unlike(self, at: int, typed: str) -> int:
        """Tell how far an exact name is from the text: 0 the dataset's own name, 1 another, 2 by case, 3 by signs."""
        word = self.written[at]
        if word == typed and self.hows[at] == 0:
            return 0
        plain, text = (" ".join(one.split()) for one in (word, typed))
        return 1 if plain == text else 2 if plain.lower() == text.lower() else 3

    def _within(self, wanted: str) -> NDArray[np.int64]:
        """Find the words that contain a text, (w,)."""
        hits = [match.start() for match in re.finditer(re.escape(wanted), self.text)]
        return np.unique(np.searchsorted(self.starts, np.array(hits, dtype=np.int64), side="right") - 1)

    def _offer(self, at: int) -> Offer:
        gene = int(self.genes[at])
        return Offer(
            gene=self.names[gene],
            word=self.written[at],
            how=HOWS[int(self.hows[at])],
            n_cells=int(self.n_cells[gene]),
        )


@lru_cache(maxsize=8)
def gene_index(folder: Path) -> GeneIndex:
    """Make the index of an opened dataset; the second time it is there."""
    species = read_json(DatasetInfo, folder / "info.json").species
    return make_index(
        gene_names(folder),
        n_cells=n_cells_seen(folder),
        species=None if species == "unknown" else species,
        identifiers=gene_identifiers(folder),
        in_file=names_in_file(folder),
    )


def make_index(
    names: Sequence[str],
    *,
    n_cells: NDArray[np.integer],
    species: TableSpecies | None,
    identifiers: GeneIdentifiers | None = None,
    in_file: Sequence[str] = (),
) -> GeneIndex:
    """Index genes by all their names.

    Parameters
    ----------
    names
        (G,) each different.
    n_cells
        (G,) cells in which each was seen.
    species
        Whose former symbols and aliases count; None for no such names.
    identifiers
        Their symbols and Ensembl ids.
    in_file
        (G,) names before they were renamed; may be left out.
    """
    best: dict[tuple[str, int], tuple[int, str]] = {}
    for how, gene, word in _words(names, identifiers, in_file=in_file, species=species):
        place = (_folded(word), gene)
        if place[0] and how < best.get(place, (len(HOWS), ""))[0]:
            best[place] = (how, word)
    entries = sorted(best.items())
    words = tuple(word for (word, _), _ in entries)
    lengths = np.array([len(word) + 1 for word in words], dtype=np.int64)
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[np.array(sorted(range(len(names)), key=lambda gene: names[gene]), dtype=np.int64)] = np.arange(
        len(names)
    )
    return GeneIndex(
        names=tuple(names),
        n_cells=np.asarray(n_cells, dtype=np.int64),
        ranks=ranks,
        words=words,
        written=tuple(word for _, (_, word) in entries),
        genes=np.array([gene for (_, gene), _ in entries], dtype=np.int64),
        hows=np.array([how for _, (how, _) in entries], dtype=np.int64),
        text="\n".join(words),
        starts=np.cumsum(lengths) - lengths,
    )


def _folded(word: str) -> str:
    """Write a name so that letter case, `_`, `-`, dots and the version of an Ensembl id make no difference."""
    plain = " ".join(word.split()).lower().translate(_SIGNS)
    versioned = _VERSION.fullmatch(plain)
    return versioned.group(1) if versioned else plain


def _words(
    names: Sequence[str],
    identifiers: GeneIdentifiers | None,
    *,
    in_file: Sequence[str],
    species: TableSpecies | None,
) -> Iterator[tuple[int, int, str]]:
    """Give every name of every gene: place in HOWS, gene, name."""
    symbols = (identifiers.symbol if identifiers else None) or ()
    ensembl = (identifiers.ensembl if identifiers else None) or ()
    for how, words in zip(HOWS, (names, symbols, ensembl, in_file), strict=False):
        yield from ((HOWS.index(how), gene, word) for gene, word in enumerate(words))
    if species is not None:
        yield from _older_words(gene_table(species), symbols or names, ensembl)


def _older_words(
    table: GeneTable, symbols: Sequence[str], ensembl: Sequence[str]
) -> Iterator[tuple[int, int, str]]:
    """Give approved symbol, Ensembl id, former symbols and aliases of every gene that the table knows."""
    older = _by_gene(table.species)
    for gene, symbol in enumerate(symbols):
        place = _place(table, symbol, ensembl[gene] if ensembl else "")
        if place is not None:
            yield HOWS.index("symbol"), gene, table.symbols[place]
            yield HOWS.index("Ensembl id"), gene, table.ensembl(place)  # no words where it has none
            yield from ((how, gene, word) for how, word in older.get(place, ()))


def _place(table: GeneTable, symbol: str, ensembl: str) -> int | None:
    """Find a gene in the table by its symbol, its Ensembl id, or a symbol that was approved once."""
    place = table.by_symbol.get(symbol)
    if place is None:
        place = table.of_id(ensembl or symbol.upper())
    return table.former.one.get(symbol) if place is None else place


@lru_cache(maxsize=2)
def _by_gene(species: TableSpecies) -> dict[int, list[tuple[int, str]]]:
    """Give the former symbols and aliases of each gene of the table."""
    table, found = gene_table(species), dict[int, list[tuple[int, str]]]()
    for how, words in ((OLDER, table.former), (OLDER + 1, table.alias)):
        for word, place in _pairs(words):
            found.setdefault(place, []).append((how, word))
    return found


def _pairs(words: Words) -> Iterator[tuple[str, int]]:
    yield from words.one.items()
    yield from ((word, place) for word, places in words.several.items() for place in places)
