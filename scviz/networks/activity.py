"""How active a set of genes is in each cell, in which type it is specific, and where it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.evidence import random_needed
from scviz.networks.contract import GeneSet
from scviz.progress import Progress, Report, silent

TOP_SHARE = 0.05
"""Of all genes, what counts as the top of a cell."""
FEWEST_GENES = 5
"""Sets with fewer measured genes have no activity."""
BLOCK = 256
"""Cells that are ranked at a time, and shuffles that are counted at a time."""
FEWEST_SHUFFLES, MOST_SHUFFLES = 199, 1999
"""Times that types are given to cells at random."""


def ranked(expression: NDArray[np.floating], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank the genes of each cell from the highest, 0, (N, G) -> (N, G); of equal ones the first in an order, (G,)."""
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
    expression: NDArray[np.floating] | sp.csr_matrix,
    genes: Sequence[str],
    sets: Sequence[GeneSet],
    *,
    n_top: int | None = None,
    fewest_genes: int = FEWEST_GENES,
    report: Report = silent,
) -> Activity:
    """Score sets as a share of the best that their size can reach, as R AUCell and decoupler do.

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
    n_top = max(2, int(np.ceil(TOP_SHARE * len(kept)))) if n_top is None else n_top
    order = np.random.default_rng(0).choice(len(kept), len(kept), replace=False)
    members = _members([genes[i] for i in kept.tolist()], sets)
    shown = [i for i, places in enumerate(members) if len(places) >= fewest_genes]
    auc = np.empty((expression.shape[0], len(shown)))
    for start in range(0, len(auc), BLOCK):
        report(Progress(stage="Scoring regulons in cells", done=start, total=len(auc)))
        part: Any = expression[start : start + BLOCK][:, kept]
        cells = (
            ranked(np.asarray(part.toarray() if sp.issparse(part) else part), order) + 1
        )  # (n, G), 1 = highest
        for place, i in enumerate(shown):
            auc[start : start + BLOCK, place] = _share_reached(cells[:, members[i]], n_top)
    return Activity(
        auc=auc,
        names=tuple(sets[i].name for i in shown),
        n_present=tuple(len(members[i]) for i in shown),
    )


def _members(genes: Sequence[str], sets: Sequence[GeneSet]) -> list[list[int]]:
    """Find the places of the genes of each set."""
    column = {gene: place for place, gene in enumerate(genes)}
    return [[column[gene] for gene in one.genes if gene in column] for one in sets]


def _share_reached(ranks: NDArray[np.int64], n_top: int) -> NDArray[np.float64]:
    """Take the area of k genes by their ranks, (n, k) from 1, as a share of the largest, (n,)."""
    attainable = (n_top - np.arange(1, min(ranks.shape[1], n_top - 1) + 1)).sum()
    return np.asarray(np.where(ranks <= n_top, n_top - ranks, 0).sum(axis=1) / attainable)


def detected_quantiles(expression: NDArray[np.floating] | sp.csr_matrix) -> dict[str, float]:
    """Tell which share of the genes cells express: a top share beyond the 1 % quantile lies among zeros.

    Parameters
    ----------
    expression
        (N, G).

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
    found = np.full((n_types, auc.shape[1]), np.nan)
    shares = _shares(auc)
    for code in range(n_types):
        own = types == code
        if own.any():
            found[code] = _specific(_of_each_cell(shares, int(own.sum())).T @ own.astype(np.float64))
    return found


def specificity_p(
    auc: NDArray[np.floating], types: NDArray[np.integer], n_types: int, *, seed: int
) -> NDArray[np.float64]:
    """Give the share of shuffles in which a set is as specific for a type, (1 + as specific) / (1 + all), (T, R).

    Types are exchanged among the cells that have one. Links, modules and thresholds never saw the types, so that
    shuffled types are as good as the true ones where a set has nothing to do with them, also in the cells in which
    the set was found.

    Parameters
    ----------
    auc
        (N, R) activity, 0 or more.
    types
        (N,) type of each cell, below 0 for none.
    """
    labeled = np.flatnonzero(types >= 0)
    codes, shares = types[labeled], _shares(auc)[labeled]
    n_times = int(np.clip(random_needed(n_types * auc.shape[1]), FEWEST_SHUFFLES, MOST_SHUFFLES))
    sizes = np.bincount(codes, minlength=n_types)
    as_far = np.zeros((n_types, auc.shape[1]))
    rng, each = np.random.default_rng(seed), {}
    for code in np.flatnonzero(sizes).tolist():
        each[code] = _of_each_cell(shares, int(sizes[code]))
    own = {code: values.T @ (codes == code).astype(np.float64) for code, values in each.items()}
    for start in range(0, n_times, BLOCK):
        shuffled = np.stack([rng.permutation(codes) for _ in range(min(BLOCK, n_times - start))], axis=1)
        for code, values in each.items():
            drawn = values.T @ (shuffled == code).astype(np.float64)  # (R, B), the lower the more specific
            as_far[code] += (drawn <= own[code][:, None] + 1e-12).sum(axis=1)
    p = (1 + as_far) / (1 + n_times)
    p[sizes == 0] = np.nan
    p[:, ~np.isfinite(shares).all(axis=0)] = np.nan
    return np.asarray(p)


def _shares(auc: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the activity of each set as shares of cells, (N, R); NaN for a set that is active nowhere."""
    total = auc.sum(axis=0, dtype=np.float64)
    return np.asarray(np.divide(auc, total, out=np.full(auc.shape, np.nan), where=total > 0))


def _of_each_cell(shares: NDArray[np.float64], n_own: int) -> NDArray[np.float64]:
    """Say what each cell adds to the divergence if it is one of `n_own` of a type, (N, R).

    A cell of no type adds p/2 ln 2 for its share p, so that ln 2 / 2 comes from all cells alike, and a cell of the type
    changes it by what stands here: the divergence is ln 2 / 2 and the sum over the cells of the type.
    """
    q = 1 / n_own
    middle = (shares + q) / 2
    ratio = np.divide(shares, middle, out=np.ones_like(shares), where=shares > 0)
    own = shares * np.log(ratio) + q * np.log(q / middle)
    return np.asarray((own - shares * np.log(2)) / 2)


def _specific(divergence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn what the cells of a type add up to into specificity, (R,)."""
    return np.asarray(1 - np.sqrt((np.log(2) / 2 + divergence).clip(min=0)))


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
