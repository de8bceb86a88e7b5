"""Which genes a model lets a regulator influence: ranks of attention, their mean over cells, the top targets."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Setting = Literal["difference", "control", "perturbed"]
SETTINGS: tuple[Setting, ...] = get_args(Setting)
"""How two groups of cells are read: perturbed less control, or one of them alone."""


def ranked_attention(scores: NDArray[np.floating], *, published: bool = False) -> NDArray[np.float32]:
    """Turn the attention of one cell into ranks, the mean over heads, (M, M), 0 to below 1.

    Each row is ranked, which takes away how sharply a gene attends; then each column of the ranks, which takes away
    how much a gene is attended to by all. Ranks begin at 0 and are divided by M.

    Parameters
    ----------
    scores
        (H, M, M) of each head: row attends to column. Scaling and softmax would not change the ranks.
    published
        Let equal values be ranked in their order, as the authors' code does with a stable sort. The columns of ranks
        hold many equal values, so that the order of the genes then decides. By default they share their mean rank.

    References
    ----------
    Cui et al. (2024), doi:10.1038/s41592-024-02201-0.

    Examples
    --------
    >>> scores = np.array([[[3.0, 1.0, 2.0], [5.0, 4.0, 6.0], [7.0, 8.0, 9.0]]])
    >>> (ranked_attention(scores) * 3).round(1).tolist()
    [[2.0, 0.5, 0.0], [1.0, 0.5, 1.5], [0.0, 2.0, 1.5]]
    """
    size = scores.shape[-1]
    total = np.zeros((size, size), dtype=np.int64)
    for head in scores:
        if published:
            rows = _order_ranks(head)
            total += 2 * _order_ranks(np.ascontiguousarray(rows.T)).T.astype(np.int64)
        else:
            total += _twice_ranks_of_whole(np.ascontiguousarray(_twice_ranks(head).T)).T
    return np.asarray(total / (2 * size * len(scores)), dtype=np.float32)


def _order_ranks(values: NDArray[np.number]) -> NDArray[np.unsignedinteger]:
    """Rank each row from 0, equal values in their order, (n, M)."""
    order = np.argsort(values, axis=1, kind="stable")
    kind = np.min_scalar_type(max(order.shape[1], 256))  # numpy sorts 16 bits several times as fast
    return _inverse(order, kind)


def _twice_ranks(values: NDArray[np.floating]) -> NDArray[np.int32]:
    """Rank each row from 0, equal values by their mean rank, and double the ranks to keep them whole, (n, M)."""
    order = np.argsort(values, axis=1)
    ascending = np.take_along_axis(values, order, axis=1)
    new = np.ones(values.shape, dtype=np.int32)
    new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    if new.all():
        return 2 * _inverse(order, np.dtype(np.int32))
    return _twice_ranks_of_whole(_placed(new.cumsum(axis=1, dtype=np.int32) - 1, order))


def _twice_ranks_of_whole(values: NDArray[np.integer]) -> NDArray[np.int32]:
    """Rank the whole numbers of each row in the same way, by counting: ranks of ranks are full of ties, (n, M)."""
    n_values = int(values.max(initial=0)) + 1
    bins = values + n_values * np.arange(len(values))[:, None]  # (n, M)
    counts = np.bincount(bins.ravel(), minlength=n_values * len(values)).reshape(-1, n_values)
    twice = 2 * counts.cumsum(axis=1) - counts - 1  # (n, values): smaller ones twice, and equal ones
    return np.take(twice.astype(np.int32), bins)


def _inverse(order: NDArray[np.int64], kind: np.dtype[Any]) -> NDArray[Any]:
    """Turn the order of each row into the place of each value, (n, M)."""
    return _placed(np.broadcast_to(np.arange(order.shape[1], dtype=kind), order.shape), order)


def _placed(values: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    """Put what is in order back to where it came from, (n, M)."""
    places = np.empty(order.shape, dtype=values.dtype)
    np.put_along_axis(places, order, values, axis=1)
    return places


class AttentionSum:
    """The attention of one group of cells, added up cell by cell; memory does not grow with the cells.

    Parameters
    ----------
    n_genes
        M.
    published
        Leave the first cell out of the sum and count it all the same, as the authors' loop does.
    """

    def __init__(self, n_genes: int, *, published: bool = False) -> None:
        self.total = np.zeros((n_genes, n_genes), dtype=np.float64)
        self.n_cells = np.zeros((n_genes, n_genes), dtype=np.int32)
        """(M, M) cells in which both genes were read."""
        self.n_added = 0
        self.published = published

    def add(self, ranked: NDArray[np.floating], places: NDArray[np.integer] | None = None) -> None:
        """Add a cell.

        Parameters
        ----------
        ranked
            (m, m) as `ranked_attention` gives it.
        places
            (m,) which of the M genes each token is, each at most once; -1 for tokens that are none of them.
            None: all M in their order.
        """
        if places is None:
            places = np.arange(len(self.total))
        kept = np.flatnonzero(places >= 0)
        at = np.ix_(places[kept], places[kept])
        if self.n_added or not self.published:
            self.total[at] += ranked[np.ix_(kept, kept)]
        self.n_cells[at] += 1
        self.n_added += 1

    def mean(self) -> NDArray[np.float64]:
        """Give the mean over cells, (M, M): row attends to column; NaN for genes that no cell holds together."""
        nothing = np.full_like(self.total, np.nan)
        return np.divide(self.total, self.n_cells, out=nothing, where=self.n_cells > 0)


def influence(
    control: NDArray[np.floating], perturbed: NDArray[np.floating], regulator: int, *, setting: Setting
) -> NDArray[np.float64]:
    """Say how much each gene attends to a regulator, (M,): the regulator's column of the mean attention.

    Parameters
    ----------
    control, perturbed
        (M, M) mean attention of two groups of cells.

    Examples
    --------
    >>> before, after = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.1, 0.5], [0.3, 0.3]])
    >>> influence(before, after, 1, setting="difference").round(1).tolist()
    [0.3, -0.1]
    """
    if setting == "difference":
        return np.asarray(perturbed[:, regulator] - control[:, regulator], dtype=np.float64)
    return np.asarray((control if setting == "control" else perturbed)[:, regulator], dtype=np.float64)


def top_targets(values: NDArray[np.floating], k: int, *, without: tuple[int, ...] = ()) -> NDArray[np.int64]:
    """Give the genes of the highest influence, the highest first; equal ones in their order.

    Parameters
    ----------
    values
        (M,) NaN is never chosen.
    without
        Positions that must not be chosen, such as `<cls>` and the regulator itself.

    Examples
    --------
    >>> top_targets(np.array([9.0, 1.0, 3.0, np.nan, 2.0]), 2, without=(0,)).tolist()
    [2, 4]
    """
    order = np.argsort(-values, kind="stable")
    allowed = np.isfinite(values)
    allowed[list(without)] = False
    return np.asarray(order[allowed[order]][:k], dtype=np.int64)
