"""Whether the genes that a classifier goes by are those that tell its types, and whether it needs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import bootstrap, counted
from scviz.tasks.attribution import Request


def verdict(
    agreement: NDArray[np.float64],
    by_level: NDArray[np.float64],
    drop: NDArray[np.float64],
    *,
    n_cells: int,
    request: Request,
) -> str:
    """Say how far rankings agree, beside one by expression alone, and what is lost without the first genes.

    Parameters
    ----------
    agreement, by_level
        (K,) rank correlations with plain differential expression, of the classifier's genes and of the expression.
    drop
        (K, 2 + R) loss of the score without the classifier's genes, those by expression, and random ones.
    """
    n, random = len(agreement), drop[:, 2:]
    gain = bootstrap(agreement - by_level)
    interval = (
        f" (difference {gain.mean:+.2f}, 95 % interval {gain.low:+.2f} to {gain.high:+.2f})"
        if gain.known
        else ""
    )
    beyond = int((drop[:, 0] > random.max(axis=1)).sum())
    return (
        f"On {counted(n_cells, 'held-out cell')} of {counted(n, 'type')}, the genes that the classifier goes by and "
        f"plain differential expression on other cells rank alike by {np.nanmean(agreement):.2f} (rank correlation, "
        f"mean over types); how much a gene is expressed alone reaches {np.nanmean(by_level):.2f}{interval}. Without "
        f"the first {counted(request.n_deleted, 'gene')} of its own, the score of the type falls by "
        f"{drop[:, 0].mean():.2f} in cells that chose no gene, without those by expression by {drop[:, 1].mean():.2f}, "
        f"and without expression-matched random ones by {random.mean():.2f}: more than in all "
        f"{counted(random.shape[1], 'random set')} for {beyond} of {counted(n, 'type')}."
    )
