"""The attention between the genes of one cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.tokens import Tokens


@dataclass(frozen=True, slots=True)
class CellAttention:
    """What the m tokens of a cell attend to."""

    scores: NDArray[np.float32]
    """(H, m, m) of each head: row attends to column."""
    places: NDArray[np.int64]
    """(m,) which of the genes asked for each token is; -1 for none of them."""


def among_genes(weights: NDArray[np.float32], tokens: Tokens, gene_ids: NDArray[np.int64]) -> CellAttention:
    """Name the tokens of one cell by the genes asked for.

    Parameters
    ----------
    weights
        (L, L) of one head, or the mean over heads.
    tokens
        One cell.
    gene_ids
        (M,) tokens of the genes asked for, each different.
    """
    real = np.flatnonzero(tokens.mask[0])
    order = np.argsort(gene_ids)
    found = np.minimum(np.searchsorted(gene_ids[order], tokens.gene_ids[0][real]), len(gene_ids) - 1)
    places = order[found]
    known = gene_ids[places] == tokens.gene_ids[0][real]
    return CellAttention(scores=weights[np.ix_(real, real)][None], places=np.where(known, places, -1))
