"""The genes of a corpus, of which a model that is trained from scratch makes its vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.genes import GeneIdentifiers, identifiers
from scviz.errors import GeneMatchError
from scviz.foundation.counts import raw_counts

Kind = Literal["symbol", "ensembl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusGenes:
    """The genes that a corpus detects, in its order."""

    names: tuple[str, ...]
    """V names; columns of one name count as one gene."""
    kind: Kind
    aliases: Mapping[str, str]
    """The names of the other kind, in upper case, and the gene that each stands for."""
    gene_of: NDArray[np.int64]
    """(G,) place in `names` of each column of the corpus; -1 where it is not detected or has no name."""


def corpus_genes(adata: AnnData, *, prefer: Kind) -> CorpusGenes:
    """List the genes that a corpus detects.

    They are named in the way that is preferred where all of them have such a name, else in the other way.

    Parameters
    ----------
    adata
        (N, G) raw counts.

    Raises
    ------
    CountsError
        If a value is negative or missing.
    GeneMatchError
        If no gene has a name and counts.
    """
    detected = np.flatnonzero(np.asarray((raw_counts(adata.X) > 0).sum(axis=0)).ravel())
    found = identifiers(adata.var)
    kind = _kind(found, detected, prefer)
    names, others = _names(found, kind), _names(found, "ensembl" if kind == "symbol" else "symbol")
    columns = [column for column in detected.tolist() if names[column]]
    places: dict[str, int] = {}
    gene_of = np.full(adata.n_vars, -1, dtype=np.int64)
    for column in columns:
        gene_of[column] = places.setdefault(names[column], len(places))
    if not places:
        raise GeneMatchError("No gene of the dataset has a name and counts.", hint="Open another dataset.")
    aliases = {others[column].upper(): names[column] for column in columns if others[column]}
    return CorpusGenes(
        names=tuple(places),
        kind=kind,
        aliases={alias: gene for alias, gene in aliases.items() if alias not in places},
        gene_of=gene_of,
    )


def _kind(found: GeneIdentifiers, detected: NDArray[np.int64], prefer: Kind) -> Kind:
    """Take the other kind of name where a detected gene lacks the preferred one and the other is known."""
    other: Kind = "ensembl" if prefer == "symbol" else "symbol"
    names = _names(found, prefer)
    return prefer if all(names[i] for i in detected) or not any(_names(found, other)) else other


def _names(found: GeneIdentifiers, kind: Kind) -> tuple[str, ...]:
    """Give the names of a kind, (G,); '' where unknown."""
    return (found.symbol if kind == "symbol" else found.ensembl) or ("",) * len(found)
