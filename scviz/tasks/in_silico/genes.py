"""Which genes a model sees in some cells, and why it does not see the others; cheap, for pages too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_identifiers, gene_matches, gene_names, n_cells_with
from scviz.errors import GeneMatchError
from scviz.foundation.vocab import GeneVocab
from scviz.tasks.in_silico import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesSeen:
    """The G genes of a dataset as a model meets them in some cells."""

    names: tuple[str, ...]
    known: NDArray[np.bool_]
    """(G,) the model's vocabulary knows them."""
    n_cells: NDArray[np.int64]
    """(G,) cells in which each was seen."""
    n_used: int
    """Cells that were looked at."""

    def editable(self, kind: Kind) -> NDArray[np.int64]:
        """Give the genes that can be edited, those in most cells first; (k,) positions among the G."""
        can = self.known if kind == "overexpress" else self.known & (self.n_cells > 0)
        rows = np.flatnonzero(can)
        return rows[np.argsort(-self.n_cells[rows], kind="stable")]

    def refusal(self, gene: str, kind: Kind) -> str:
        """Say why a gene cannot be edited; nothing when it can."""
        if gene not in self.names:
            return f"The dataset has no gene {gene}: it was not measured, or is called otherwise."
        at = self.names.index(gene)
        if not self.known[at]:
            return f"The model does not know {gene}: it is not in the vocabulary of these weights."
        if kind != "overexpress" and not self.n_cells[at]:
            return f"None of these {self.n_used:,} cells expresses {gene}, so there is nothing to edit."
        return ""


def genes_seen(folder: Path, vocab: GeneVocab, rows: NDArray[np.int64], *, n_cells: int) -> GenesSeen:
    """Look genes up in a vocabulary and in some cells, (n,) rows of a dataset with `n_cells`."""
    return GenesSeen(
        names=gene_names(folder),
        known=vocab.match(gene_identifiers(folder)) >= 0,
        n_cells=n_cells_with(folder, rows, n_cells),
        n_used=len(rows),
    )


def by_name(folder: Path, text: str) -> str:
    """Give the dataset's name of a gene that is called by name, symbol or Ensembl id, in any case; else the text."""
    if text in gene_names(folder):
        return text
    ids = gene_identifiers(folder)
    for name in gene_matches(folder, text):
        at = gene_names(folder).index(name)
        words = {name, *(kind[at] for kind in (ids.symbol, ids.ensembl) if kind is not None)}
        if text.upper() in {word.upper() for word in words}:
            return name
    return text


def check_genes(seen: GenesSeen, genes: tuple[str, ...], kind: Kind) -> None:
    """Refuse genes that cannot be edited.

    Raises
    ------
    GeneMatchError
        With the reason of the first of them.
    """
    for gene in genes:
        reason = seen.refusal(gene, kind)
        if reason:
            raise GeneMatchError(reason, hint="Choose a gene that the model sees in these cells.")
