"""What an encoder reads of a batch of cells; numpy, so that it can be tested and shown without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tokens:
    """Cells as rows of tokens."""

    gene_ids: NDArray[np.int64]
    """(B, L) rows of the token embedding, special tokens included."""
    values: NDArray[np.float32] | None
    """(B, L) bin or continuous expression; None where order says it all."""
    mask: NDArray[np.bool_]
    """(B, L) True = real token."""
    condition: NDArray[np.int64] | None = None
    """(B, L) 1 = perturbed gene."""

    def __len__(self) -> int:
        return len(self.gene_ids)

    def lengths(self) -> NDArray[np.int64]:
        """Count the real tokens of each cell, (B,)."""
        return np.asarray(self.mask.sum(axis=1))

    def take(self, rows: NDArray[np.integer] | slice) -> Tokens:
        """Keep some cells, (b,), and cut the padding that none of them needs."""
        mask = self.mask[rows]
        length = max(1, int(mask.sum(axis=1).max(initial=0)))
        values, condition = self.values, self.condition
        return Tokens(
            gene_ids=self.gene_ids[rows][:, :length],
            values=None if values is None else values[rows][:, :length],
            mask=mask[:, :length],
            condition=None if condition is None else condition[rows][:, :length],
        )
