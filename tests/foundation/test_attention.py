"""The attention of a cell between the genes asked for."""

from __future__ import annotations

import numpy as np

from scviz.foundation.attention import among_genes
from scviz.foundation.tokens import Tokens


def test_tokens_are_named_by_the_genes_asked_for() -> None:
    tokens = Tokens(
        gene_ids=np.array([[1, 30, 10, 0]]), values=None, mask=np.array([[True, True, True, False]])
    )
    weights = np.arange(16, dtype=np.float32).reshape(4, 4)
    cell = among_genes(weights, tokens, np.array([20, 10, 30]))
    assert cell.places.tolist() == [-1, 2, 1]
    assert cell.scores.tolist() == [[[0, 1, 2], [4, 5, 6], [8, 9, 10]]]
