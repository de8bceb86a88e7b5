"""Ranks and activity on the scale of pySCENIC, which no page shows: for goldens alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.networks.activity import TOP_SHARE, Activity, ranked
from scviz.networks.contract import GeneSet
from scviz.networks.motifs import recovered_area, top_ranks

LEAST_PRESENT = 0.8
"""pySCENIC gives 0 to sets of which a smaller share is measured."""


def ranks(expression: NDArray[np.floating], *, seed: int) -> NDArray[np.int64]:
    """Rank the genes of each cell as pySCENIC does.

    Parameters
    ----------
    expression
        (N, G); NaN comes last.
    seed
        Of the order of genes that decides between equal values.

    Returns
    -------
    (N, G) ranks, 0 = highest.
    """
    legacy = np.random.RandomState(seed)  # pandas draws with it, and ranks must be those of pySCENIC
    n_genes = expression.shape[1]
    return ranked(expression, np.asarray(legacy.choice(n_genes, n_genes, replace=False), dtype=np.int64))


def published_aucell(
    cells: NDArray[np.integer],
    genes: Sequence[str],
    sets: Sequence[GeneSet],
    *,
    share: float = TOP_SHARE,
    weighted: bool = False,
    normalized: bool = False,
) -> Activity:
    """Score sets on the scale of pySCENIC.

    Parameters
    ----------
    cells
        (N, G) ranks as `ranks` gives them.
    genes
        Names of the G genes.
    share
        Of all genes, what counts as the top of a cell.
    weighted
        Let genes count by their weights; else all count alike.
    normalized
        Divide each set by its largest value over cells; NaN for sets that are active nowhere.
    """
    column = {gene: i for i, gene in enumerate(genes)}
    cut = top_ranks(share, len(genes))
    auc = np.zeros((len(cells), len(sets)))
    present = []
    for i, one in enumerate(sets):
        found = [place for place, gene in enumerate(one.genes) if gene in column]
        present.append(len(found))
        if len(found) < LEAST_PRESENT * len(one.genes) or not found:
            continue
        weights = np.array([one.weights[place] for place in found]) if weighted else np.ones(len(found))
        auc[:, i] = recovered_area(cells[:, [column[one.genes[place]] for place in found]], weights, cut)
    if normalized:
        most = auc.max(axis=0)
        auc = np.divide(auc, most, out=np.full_like(auc, np.nan), where=most > 0)
    return Activity(auc=auc, names=tuple(one.name for one in sets), n_present=tuple(present))
