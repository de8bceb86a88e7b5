"""How well held-out cells are named by some of their genes: what an accuracy is worth where genes are missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import accuracy
from scviz.tasks.transfer import FewerGenes
from scviz.tasks.transfer.genes import GeneSpace, Shared
from scviz.tasks.transfer.learning import scores_of
from scviz.tasks.transfer.rules import Linear

SHARES = (0.75, 0.5, 0.25, 0.1)
"""Of the genes that are kept."""
N_DRAWS = 3


def measured_with_fewer(
    space: GeneSpace,
    rule: Linear,
    cells: Shared,
    *,
    truth: NDArray[np.int64],
    scaled: bool,
    seed: int = 0,
) -> tuple[FewerGenes, ...]:
    """Name held-out cells by random parts of their genes, as another dataset may have.

    Parameters
    ----------
    cells
        Held-out cells with all genes of the space.
    truth
        (M,) their types.
    scaled
        Whether the rule reads scaled genes.
    """
    rng, found = np.random.default_rng(seed), []
    for share in SHARES:
        draws = [_drawn(cells, share, rng) for _ in range(N_DRAWS)]
        right = [
            accuracy(truth, scores_of(space, one, rule, scaled=scaled).argmax(axis=1).astype(np.int64))
            for one in draws
        ]
        read = [float(space.profile[one.places].sum()) for one in draws]
        found.append(FewerGenes(share=share, read=float(np.mean(read)), accuracy=float(np.mean(right))))
    return tuple(found)


def _drawn(cells: Shared, share: float, rng: np.random.Generator) -> Shared:
    """Keep a random part of the genes."""
    n = len(cells.places)
    kept = np.sort(rng.choice(n, max(1, round(share * n)), replace=False))
    return Shared(counts=cells.counts[:, kept], places=cells.places[kept])


def joined(parts: Sequence[tuple[FewerGenes, ...]], sizes: Sequence[int]) -> tuple[FewerGenes, ...]:
    """Put folds together, weighted by their cells.

    Parameters
    ----------
    parts
        What each fold found, the same shares in each.
    sizes
        Cells of each fold.
    """
    weights = np.array(sizes) / np.sum(sizes)
    return tuple(
        FewerGenes(
            share=same[0].share,
            read=float(weights @ [one.read for one in same]),
            accuracy=float(weights @ [one.accuracy for one in same]),
        )
        for same in zip(*parts, strict=True)
    )
