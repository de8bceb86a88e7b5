"""What is known of genes from elsewhere, as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.perturbing import NO_VECTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneVectors:
    """What another source knows of genes: a foundation model's embedding, another screen, gene sets."""

    genes: tuple[str, ...]
    """Symbols, V of them."""
    vectors: NDArray[np.float32]
    """(V, D)."""
    source: str
    """What they are, in a few words."""
    lack: str = NO_VECTOR
    """What to say of genes that are not here."""

    def of(self, genes: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of N genes, (N, D); NaN for those without one."""
        place = {gene: i for i, gene in enumerate(self.genes)}
        found = np.full((len(genes), self.vectors.shape[1]), np.nan)
        for row, gene in enumerate(genes):
            if gene in place:
                found[row] = self.vectors[place[gene]]
        return found
