"""Vectors of tokens, averaged over the cells that hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMeans:
    """Vectors of tokens in their cells, averaged over the cells that hold them."""

    token_ids: NDArray[np.int64]
    """(T,) tokens that occur, special ones too, rising."""
    vectors: NDArray[np.float32]
    """(T, D)."""
    n_cells: NDArray[np.int64]
    """(T,) cells that hold the token."""


@dataclass(frozen=True, slots=True)
class TokenSums:
    """Sums over cells, while they come in."""

    vectors: Tensor
    """(T, D)."""
    n_cells: Tensor
    """(T,)."""

    def add(self, token_ids: Tensor, vectors: Tensor) -> None:
        """Add vectors, (n, D), of tokens, (n,)."""
        self.vectors.index_add_(0, token_ids, vectors)
        self.n_cells.index_add_(0, token_ids, torch.ones_like(self.n_cells[:1]).expand(len(token_ids)))

    def means(self) -> TokenMeans:
        """Divide by the number of cells."""
        seen = torch.nonzero(self.n_cells).ravel()
        vectors = self.vectors[seen] / self.n_cells[seen, None]
        return TokenMeans(
            token_ids=seen.cpu().numpy(),
            vectors=vectors.cpu().numpy(),
            n_cells=self.n_cells[seen].cpu().numpy().astype(np.int64),
        )
