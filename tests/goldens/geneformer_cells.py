"""Cells as Geneformer's authors tokenize a file: filtered by a column, without empty ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.geneformer.tokenizer import RankRules, column_tokens, columns_to_tokens, rank


@dataclass(frozen=True, slots=True)
class RankedCells:
    """Sentences of the cells that pass the filter and have a known gene."""

    tokens: Tokens
    rows: NDArray[np.int64]
    """(B,) rows of the AnnData that they come from."""


def rank_cells(
    adata: AnnData, vocab: GeneVocab, rules: RankRules, *, names: Sequence[str] | None = None
) -> RankedCells:
    """Rank the genes of cells whose `filter_pass` is 1, if there is such a column, and drop empty cells.

    Parameters
    ----------
    names
        (G,) identifiers to take as they are; by default they are found in `adata.var` and tidied.
    """
    tokens = rank(
        adata.X,
        column_tokens(adata.var, vocab) if names is None else columns_to_tokens(names, vocab),
        vocab=vocab,
        rules=rules,
        n_counts=adata.obs["n_counts"].to_numpy(dtype=float) if "n_counts" in adata.obs else None,
    )
    keep = tokens.mask.any(axis=1)
    if "filter_pass" in adata.obs:
        keep &= adata.obs["filter_pass"].to_numpy() == 1
    rows = np.flatnonzero(keep)
    return RankedCells(tokens.take(rows), rows)
