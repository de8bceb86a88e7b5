"""Features that are no genes: antibodies, guides, tags for multiplexing, beside the genes of one matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.gene_kinds import GeneKind, kinds_of_genes
from scviz.datasets.genes import GeneIdentifiers

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

COLUMNS = ("feature_types", "feature_type", "modality")
"""Columns of genes that say what each feature is, in small letters."""
GENES = frozenset({"geneexpression", "gene", "genes", "rna", "mrna", "gex", ""})
GUIDES = frozenset({"crisprguidecapture", "crispr", "guide", "guides", "grna", "sgrna"})
BY_NAME: dict[GeneKind, str] = {
    "antibody": "antibodies",
    "guide": "guides",
    "tag": "tags of samples",
    "peak": "peaks of open chromatin",
    "tally": "sums of what belongs to no gene",
}
"""What features are called that only their names tell."""
FEWEST = 5
"""Molecules of a guide from which a cell is said to carry it."""
NO_GUIDE = "no guide"
GUIDE_COLUMN = "guide"


@dataclass(slots=True)
class Features:
    """Which of F features are genes; takes the others out of blocks of cells, and keeps guides."""

    kinds: dict[str, int]
    """How many features there are of each kind that is no gene."""
    genes: NDArray[np.bool_]
    """(F,) True for genes."""
    guides: NDArray[np.bool_]
    """(F,) True for guides."""
    names: Sequence[str]
    """(F,) names of all features."""
    _carried: list[str] = field(default_factory=list)

    def blocks(self, stored: Iterator[csr_matrix]) -> Iterator[csr_matrix]:
        """Give the genes, (n, G), of blocks of all features, (n, F)."""
        if self.genes.all():
            yield from stored
            return
        at = np.flatnonzero(self.guides)
        for block in stored:
            if len(at):
                self._carried += _carried(block[:, at], [self.names[int(i)] for i in at])
            yield block[:, np.flatnonzero(self.genes)]

    def columns(self) -> dict[str, pd.Categorical]:
        """Return what the blocks said of the cells: the guides that each one carries, (N,)."""
        import pandas as pd  # the card of a file needs none

        return {GUIDE_COLUMN: pd.Categorical(self._carried)} if self._carried else {}

    def notes(self) -> tuple[str, ...]:
        """Say what was left out of the genes, and what was made of the guides."""
        if not self.kinds:
            return ()
        listed = ", ".join(f"{count:,} {name}" for name, count in self.kinds.items())
        found = [f"Features that are no genes were left out of the counts: {listed}."]
        if self._carried:
            found.append(
                f"The column {GUIDE_COLUMN!r} names the guides with {FEWEST} molecules or more in a cell, "
                f'joined by "|"; {self._carried.count(NO_GUIDE):,} cells have {NO_GUIDE}.'
            )
        return tuple(found)


def features_of(names: Sequence[str], kinds: Sequence[str] | None) -> Features:
    """Tell genes from other features.

    Parameters
    ----------
    names
        (F,) names of the features.
    kinds
        (F,) what the file says of each; None where it says nothing, so that only names can tell.
    """
    told = _by_name(names) if kinds is None else [kind.strip() for kind in kinds]
    plain = ["".join(filter(str.isalnum, kind.lower())) for kind in told]
    is_gene = np.array([kind in GENES for kind in plain], dtype=bool)
    others = Counter(kind for kind, gene in zip(told, is_gene, strict=True) if not gene)
    is_guide = np.array([kind in GUIDES for kind in plain], dtype=bool)
    return Features(kinds=dict(others), genes=is_gene, guides=is_guide, names=names)


def _by_name(names: Sequence[str]) -> list[str]:
    """Name the kind of each feature whose name shows that it is no gene; empty for genes."""
    kinds = kinds_of_genes(GeneIdentifiers(ensembl=None, symbol=None, given=tuple(names)))
    return [BY_NAME.get(kind, "") for kind in kinds]


def kinds_column(names: Sequence[str]) -> str | None:
    """Return the column, among those of the genes, that says what each feature is."""
    by_name = {name.lower(): name for name in reversed(names)}
    return next((by_name[name] for name in COLUMNS if name in by_name), None)


def _carried(counts: csr_matrix, names: list[str]) -> list[str]:
    """Return the guides of each cell, by their molecules (n, guides)."""
    found: list[list[str]] = [[] for _ in range(counts.shape[0])]
    table = counts.tocoo()
    for cell, guide, count in zip(table.row, table.col, table.data, strict=True):
        if count >= FEWEST:
            found[cell].append(names[guide])
    return ["|".join(sorted(one)) or NO_GUIDE for one in found]
