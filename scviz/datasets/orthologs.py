"""Human counterparts of mouse genes: pairs that are one to one, and what is lost with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.gene_matching import Rename, find_among
from scviz.datasets.gene_table import FOLDER, HOWS, Found, gene_table, lines
from scviz.datasets.genes import GeneIdentifiers

SOURCE = "one-to-one orthologs of Ensembl release 105"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanGenes:
    """The genes of a mouse dataset that have one human counterpart."""

    columns: NDArray[np.int64]
    """(K,) columns of the dataset, ascending; the others are lost."""
    symbols: tuple[str, ...]
    """(K,) approved human symbols, each different."""
    ensembl: tuple[str, ...]
    """(K,) human Ensembl ids; '' where there is none."""
    lost: tuple[str, ...]
    """Genes of the dataset without a human counterpart that is theirs alone, in their order."""
    repeated: tuple[Rename, ...]
    """Genes whose counterpart another gene of the dataset has, whose name is surer; they are among the lost."""

    @property
    def note(self) -> str:
        """Say what was done and what it cost."""
        total = len(self.columns) + len(self.lost)
        return (
            f"Mouse genes were replaced by their human counterparts ({SOURCE}): {len(self.columns):,} of {total:,} "
            f"have one; {len(self.lost):,} are left out."
        )


def mouse_to_human(ids: GeneIdentifiers) -> HumanGenes:
    """Find the human counterparts of the genes of a mouse dataset; nothing is changed.

    Parameters
    ----------
    ids
        The names of G mouse genes: Ensembl ids, symbols, former ones or aliases.

    Examples
    --------
    >>> human = mouse_to_human(GeneIdentifiers(ensembl=None, symbol=("Trp53", "Gm1992", "Septin2", "Sept2")))
    >>> human.columns.tolist(), human.symbols, human.lost
    ([0, 2], ('TP53', 'SEPTIN2'), ('Gm1992', 'Sept2'))
    """
    mouse, human, names = gene_table("mouse"), gene_table("human"), ids.names
    paired = _paired(ids)
    taken: dict[int, int] = {}
    repeated = []
    for column, found in sorted(paired.items(), key=lambda one: (HOWS.index(one[1].how), one[0])):
        gene = found.genes[0]
        if taken.setdefault(_pairs()[gene], column) != column:
            repeated.append(Rename(old=names[column], new=mouse.symbols[gene], how=found.how))
    counterpart = {column: gene for gene, column in taken.items()}
    columns = sorted(counterpart)
    return HumanGenes(
        columns=np.array(columns, dtype=np.int64),
        symbols=tuple(human.symbols[counterpart[column]] for column in columns),
        ensembl=tuple(human.ensembl(counterpart[column]) for column in columns),
        lost=tuple(name for column, name in enumerate(names) if column not in counterpart),
        repeated=tuple(repeated),
    )


def _paired(ids: GeneIdentifiers) -> dict[int, Found]:
    """Find the genes of a dataset that have a counterpart, by column."""
    own = frozenset(ids.symbol or ())
    found = {column: _mouse_gene(ids, column, own) for column in range(len(ids))}
    return {column: one for column, one in found.items() if len(one.genes) == 1 and one.genes[0] in _pairs()}


def _mouse_gene(ids: GeneIdentifiers, column: int, own: frozenset[str]) -> Found:
    """Find a gene in the table of mouse, by its id, else by its symbol."""
    table = gene_table("mouse")
    place = table.of_id(ids.ensembl[column]) if ids.ensembl else None
    if place is not None:
        return Found(genes=(place,), how="Ensembl id")
    return find_among(table, ids.symbol[column] if ids.symbol else "", own=own)


@lru_cache(maxsize=1)
def _pairs() -> dict[int, int]:
    """Find human genes by mouse genes, both as places in their tables; a pair that is not one any more is left out."""
    with np.load(FOLDER / "orthologs.npz") as file:
        names = [lines(file[species]) for species in ("mouse", "human")]
    mouse, human = gene_table("mouse"), gene_table("human")
    pairs = list(zip(*names, strict=True))
    pairs.sort(
        key=lambda pair: not (pair[0] in mouse.by_symbol and pair[1] in human.by_symbol)
    )  # today's first
    found: dict[int, int] = {}
    back: dict[int, int] = {}
    for own, other in pairs:
        one, two = mouse.find(own).genes, human.find(other).genes
        if len(one) == len(two) == 1 and one[0] not in found and back.setdefault(two[0], one[0]) == one[0]:
            found[one[0]] = two[0]
    return found
