"""How active a set of genes is in each cell, in which type it is specific, and where it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.networks.contract import GeneSet
from scviz.networks.motifs import recovered_area, top_ranks
from scviz.progress import Progress, Report, silent

Scale = Literal["attainable", "pyscenic"]
"""`attainable`: 1 is the best that a set of this size can reach, as in R AUCell and decoupler. `pyscenic`: its area."""

TOP_SHARE = 0.05
"""Of all genes, what counts as the top of a cell."""
FEWEST_GENES = 5
"""Sets with fewer measured genes have no activity by the scale `attainable`."""
LEAST_PRESENT = 0.8
"""pySCENIC gives 0 to sets of which a smaller share is measured."""
BLOCK = 256
"""Cells that are ranked at a time."""


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
    return _ranks(expression, np.asarray(legacy.choice(n_genes, n_genes, replace=False), dtype=np.int64))


def _ranks(expression: NDArray[np.floating], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank genes from the highest; of equal ones the first in an order comes first."""
    best = np.argsort(-expression[:, order], axis=1, kind="stable")  # (N, G) places in the order
    found = np.empty(best.shape, dtype=np.int64)
    np.put_along_axis(found, order[best], np.arange(best.shape[1])[None, :], axis=1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Activity of R sets in N cells."""

    auc: NDArray[np.float64]
    """(N, R)."""
    names: tuple[str, ...]
    """Of the R sets."""
    n_present: tuple[int, ...]
    """Measured genes of each set."""


def aucell(
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


def attainable_aucell(
    expression: NDArray[np.floating] | sp.csr_matrix,
    genes: Sequence[str],
    sets: Sequence[GeneSet],
    *,
    n_top: int | None = None,
    fewest_genes: int = FEWEST_GENES,
    report: Report = silent,
) -> Activity:
    """Score sets as a share of the best that their size can reach, as decoupler does.

    Parameters
    ----------
    expression
        (N, G); genes that no cell has are left out first. A sparse matrix is made dense some cells at a time.
    n_top
        Genes at the top of a cell that count; None takes a twentieth of all.
    fewest_genes
        Sets with fewer measured genes are left out.

    References
    ----------
    Aibar et al. (2017), doi:10.1038/nmeth.4463.
    """
    kept = np.flatnonzero(np.asarray(abs(expression).sum(axis=0)).ravel() > 0)
    column = {genes[gene]: place for place, gene in enumerate(kept.tolist())}
    n_top = max(2, int(np.ceil(TOP_SHARE * len(kept)))) if n_top is None else n_top
    order = np.random.default_rng(0).choice(len(kept), len(kept), replace=False)
    members = [[column[gene] for gene in one.genes if gene in column] for one in sets]
    shown = [i for i, places in enumerate(members) if len(places) >= fewest_genes]
    auc = np.empty((expression.shape[0], len(shown)))
    for start in range(0, len(auc), BLOCK):
        report(Progress(stage="Scoring regulons in cells", done=start, total=len(auc)))
        part: Any = expression[start : start + BLOCK][:, kept]
        cells = (
            _ranks(np.asarray(part.toarray() if sp.issparse(part) else part), order) + 1
        )  # (n, G), 1 = highest
        for place, i in enumerate(shown):
            own = cells[:, members[i]]
            attainable = (n_top - np.arange(1, min(len(members[i]), n_top - 1) + 1)).sum()
            auc[start : start + BLOCK, place] = (
                np.where(own <= n_top, n_top - own, 0).sum(axis=1) / attainable
            )
    return Activity(
        auc=auc,
        names=tuple(sets[i].name for i in shown),
        n_present=tuple(len(members[i]) for i in shown),
    )


def detected_quantiles(expression: NDArray[np.floating] | sp.csr_matrix) -> dict[str, float]:
    """Tell which share of the genes cells express: a top share beyond the 1 % quantile lies among zeros.

    Returns
    -------
    Quantiles over cells, by their share: 0.01, 0.05, 0.1, 0.5 and 1.
    """
    shares = np.asarray((expression > 0).sum(axis=1)).ravel() / expression.shape[1]
    return {str(share): float(np.quantile(shares, share)) for share in (0.01, 0.05, 0.1, 0.5, 1.0)}


def specificity(auc: NDArray[np.floating], types: NDArray[np.integer], n_types: int) -> NDArray[np.float64]:
    """Say how far each set is active in one type alone.

    One less the square root of the Jensen-Shannon divergence between the activity over cells and an even share of
    the cells of the type.

    Parameters
    ----------
    auc
        (N, R) activity, 0 or more.
    types
        (N,) type of each cell, below 0 for none; such cells count for no type.

    Returns
    -------
    (T, R) from 1 - sqrt(ln 2) = 0.167 to 1; NaN for sets that are active nowhere and types without cells.

    References
    ----------
    Suo et al. (2018), doi:10.1016/j.celrep.2018.10.045.
    """
    total = auc.sum(axis=0, dtype=np.float64)
    p = np.divide(auc, total, out=np.full(auc.shape, np.nan), where=total > 0)  # (N, R)
    found = np.full((n_types, auc.shape[1]), np.nan)
    for code in range(n_types):
        own = types == code
        if not own.any():
            continue
        q = own / own.sum()
        middle = (p + q[:, None]) / 2
        divergence = (_relative(p, middle) + _relative(np.broadcast_to(q[:, None], p.shape), middle)) / 2
        found[code] = 1 - np.sqrt(divergence.clip(min=0))
    return found


def _relative(p: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence over cells, (R,); NaN stays."""
    ratio = np.divide(p, middle, out=np.ones_like(middle), where=p > 0)
    return np.asarray(np.where(np.isnan(p), np.nan, p * np.log(ratio)).sum(axis=0))


def shuffled_specificity(
    auc: NDArray[np.floating], types: NDArray[np.integer], n_types: int, *, seed: int, n_times: int = 50
) -> NDArray[np.float64]:
    """Return what 95 % of specificities stay below when types are given to cells at random, (T, R)."""
    rng = np.random.default_rng(seed)
    made = [specificity(auc, rng.permutation(types), n_types) for _ in range(n_times)]
    return np.asarray(np.quantile(np.stack(made), 0.95, axis=0))


def threshold(activity: NDArray[np.floating], *, seed: int) -> float:
    """Find the activity above which a set is on.

    Where two normal distributions fit better than one by their BIC, it is where the smoothed density is lowest
    between their means; else mean plus two standard deviations.

    Parameters
    ----------
    activity
        (N,) of one set.
    """
    from scipy.optimize import minimize_scalar
    from scipy.stats import gaussian_kde
    from sklearn.mixture import GaussianMixture

    values = np.asarray(activity, dtype=np.float64)
    usual = float(values.mean() + 2.0 * values.std())
    if len(np.unique(values)) < 2:
        return usual
    column = values.reshape(-1, 1)
    one, two = (GaussianMixture(n_components=n, random_state=seed).fit(column) for n in (1, 2))
    if two.bic(column) > one.bic(column):
        return usual
    low, high = np.sort(two.means_.ravel())
    if low == high:
        return usual
    density = gaussian_kde(values)
    return float(minimize_scalar(lambda at: density(at)[0], bounds=(low, high), method="bounded").x)
