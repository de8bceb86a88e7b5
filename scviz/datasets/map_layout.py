"""Place cells on a map by their neighbor graph, as UMAP does: graph of memberships, then a walk along its links."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from scviz.progress import Progress, Report, silent

FEW_CELLS = 10_000
"""Up to here the walk has MANY_ROUNDS rounds, above FEW_ROUNDS, as the authors have it."""
MANY_ROUNDS, FEW_ROUNDS = 500, 200
ROUNDS_AT_A_TIME = 5
"""After so many rounds it is told how far the walk is, and may be stopped."""
REPELLED = 5
"""Random cells that a cell is pushed away from whenever it is pulled towards a neighbor."""
MOST_SHIFT = np.float32(4.0)
"""Longest step along an axis."""
EXTENT = 10.0
"""The map begins within this distance from its middle."""
SHIFTS = 15
"""Bits of a distance that do not count when its force is looked up: 8 bits of it are left, so 0.4 %."""
SEARCHES = 64
"""Halvings when the width of a neighborhood is searched."""
LEAST_WIDTH = 1e-3
"""Of the mean distance: no neighborhood is narrower."""


def membership_graph(neighbors: NDArray[np.int32], distances: NDArray[np.float32]) -> csr_matrix:
    """Link cells with their neighbors, more strongly the nearer they are for either of both.

    Parameters
    ----------
    neighbors
        (N, k) positions, the cell itself first.
    distances
        (N, k) to them.

    Returns
    -------
    (N, N) symmetric, weights from 0 to 1: the fuzzy union of the neighborhoods.

    References
    ----------
    McInnes et al. (2018), arXiv:1802.03426, section 3.1.
    """
    n_cells, k = neighbors.shape
    own = distances[:, 1:].astype(np.float64)  # (N, k - 1)
    nearest = np.where(own > 0, own, np.inf).min(axis=1, initial=np.inf)
    nearest[np.isinf(nearest)] = 0.0  # all are twins
    beyond = np.maximum(own - nearest[:, None], 0.0)
    weights = np.exp(-beyond / _widths(beyond, own, np.log2(k))[:, None])
    rows = np.repeat(np.arange(n_cells), k - 1)
    one_way = csr_matrix(
        coo_matrix((weights.ravel(), (rows, neighbors[:, 1:].ravel())), shape=(n_cells, n_cells))
    )
    product = one_way.multiply(one_way.T)
    graph = csr_matrix(one_way + one_way.T - product)
    graph.eliminate_zeros()
    return graph


def _widths(beyond: NDArray[np.float64], own: NDArray[np.float64], wanted: float) -> NDArray[np.float64]:
    """Find the width of each neighborhood, (N,), at which its weights add up to what is wanted."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    width = np.ones(len(beyond))
    for _ in range(SEARCHES):
        found = np.exp(-beyond / width[:, None]).sum(axis=1)
        above = found > wanted
        high, low = np.where(above, width, high), np.where(above, low, width)
        width = np.where(np.isinf(high), 2 * width, (low + np.where(np.isinf(high), low, high)) / 2)
    floor = LEAST_WIDTH * np.where(own.any(axis=1), own.mean(axis=1), own.mean())
    wide: NDArray[np.float64] = np.maximum(width, np.maximum(floor, 1e-12))
    return wide


def layout(
    graph: csr_matrix,
    start: NDArray[np.floating],
    *,
    min_dist: float,
    seed: int,
    report: Report = silent,
    stage: str = "Drawing the map",
) -> NDArray[np.float32]:
    """Place cells so that those with strong links lie together.

    Parameters
    ----------
    graph
        (N, N) from `membership_graph`.
    start
        (N, D) where cells begin, such as principal components; the first two count.
    min_dist
        How closely neighbors are packed, from 0 to 1.
    report
        Told how far it is; the walk ends at once when it raises.

    Returns
    -------
    (N, 2) coordinates. The same seed gives the same ones.

    References
    ----------
    McInnes et al. (2018), arXiv:1802.03426, section 3.2; Kobak and Linderman (2021), doi:10.1038/s41587-020-00809-z,
    for the start.
    """
    n_cells = graph.shape[0]
    places = _begin(start, seed)
    rounds = MANY_ROUNDS if n_cells <= FEW_CELLS else FEW_ROUNDS
    walk, step = _walk(graph, rounds, forces(*curve(min_dist)), seed=seed), _compiled()
    for first in range(0, rounds, ROUNDS_AT_A_TIME):
        report(Progress(stage=stage, done=first, total=rounds))
        step(places, walk, (first, min(first + ROUNDS_AT_A_TIME, rounds), rounds))
    return places


def _walk(
    graph: csr_matrix,
    rounds: int,
    pull_and_push: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    seed: int,
) -> _Walk:
    """Say how often each link is walked; links too weak for one step are left out."""
    links = graph.tocoo()
    strongest = links.data.max(initial=0.0)
    walked = links.data >= strongest / rounds
    period = (strongest / links.data[walked]).astype(np.float32)
    return _Walk(
        links.row[walked].astype(np.int32),
        links.col[walked].astype(np.int32),
        period,
        period.copy(),
        *pull_and_push,
        np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64),
    )


def _begin(start: NDArray[np.floating], seed: int) -> NDArray[np.float32]:
    """Scale where cells begin, (N, 2), and move twins apart a little."""
    places = np.zeros((len(start), 2))
    places[:, : start.shape[1]] = start[:, :2] - start[:, :2].mean(axis=0)
    places *= EXTENT / max(float(np.abs(places).max(initial=0.0)), 1e-12)
    noise = np.random.default_rng(seed).normal(scale=EXTENT * 1e-4, size=places.shape)
    return (places + noise).astype(np.float32)


def curve(min_dist: float, spread: float = 1.0) -> tuple[float, float]:
    """Fit a and b of 1 / (1 + a d^2b) to a curve that is 1 up to min_dist and decays beyond.

    Examples
    --------
    >>> a, b = curve(0.3)
    >>> round(a, 2), round(b, 2)
    (0.99, 1.11)
    """
    from scipy.optimize import curve_fit

    distance = np.linspace(0, 3 * spread, 300)
    wanted = np.where(distance < min_dist, 1.0, np.exp(-(distance - min_dist) / spread))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), distance, wanted)
    return float(a), float(b)


def forces(a: float, b: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Tabulate pull and push between two cells by the leading bits of their squared distance, (65,536,) each."""
    squared = (np.arange(1 << (31 - SHIFTS), dtype=np.uint32) << SHIFTS) + np.uint32(1 << (SHIFTS - 1))
    infinite = np.uint32(0xFF) << np.uint32(23)
    d2 = np.minimum(squared, infinite - 1).astype(np.uint32).view(np.float32).astype(np.float64)
    with np.errstate(over="ignore"):
        power = d2**b
        pull = -2 * a * b * power / d2 / (1 + a * power)
        push = 2 * b / ((0.001 + d2) * (1 + a * power))
    pull[0] = 0.0  # twins have no direction to be pulled in
    return np.nan_to_num(pull).astype(np.float32), np.nan_to_num(push).astype(np.float32)


class _Walk(NamedTuple):
    """What the compiled walk reads and changes; numba takes named tuples of arrays."""

    heads: NDArray[np.int32]
    """(L,) the cell that each link leads from."""
    tails: NDArray[np.int32]
    """(L,) the neighbor that it leads to."""
    period: NDArray[np.float32]
    """(L,) rounds between two steps along a link: 1 for the strongest."""
    due: NDArray[np.float32]
    """(L,) the round of the next step; changes."""
    pull: NDArray[np.float32]
    push: NDArray[np.float32]
    """From `forces`."""
    random: NDArray[np.uint64]
    """(1,) state of the random numbers; changes."""


@cache
def _compiled() -> Any:
    """Return the walk, compiled once for all processes of this machine, or for this one where nothing can be kept."""
    from numba import njit

    try:
        return njit(cache=True, fastmath=True)(_steps)
    except RuntimeError:  # neither beside this file nor in the home of the user
        return njit(fastmath=True)(_steps)


def _steps(places, walk, span):  # type: ignore[no-untyped-def]  # numba finds the types of what it is given
    """Walk along the links that are due, rounds span[0] to span[1] of span[2]; places, (N, 2), change."""
    n_cells, random = np.uint64(len(places)), walk.random[0]
    for turn in range(span[0], span[1]):
        rate = np.float32(1.0 - turn / span[2])
        for link in range(len(walk.heads)):
            if walk.due[link] > turn + 1:
                continue
            walk.due[link] += walk.period[link]
            one, other = walk.heads[link], walk.tails[link]
            x, y = places[one, 0], places[one, 1]
            dx, dy = x - places[other, 0], y - places[other, 1]
            force = walk.pull[np.float32(dx * dx + dy * dy).view(np.int32) >> SHIFTS]
            dx = rate * min(max(force * dx, -MOST_SHIFT), MOST_SHIFT)
            dy = rate * min(max(force * dy, -MOST_SHIFT), MOST_SHIFT)
            x, y = x + dx, y + dy
            places[other, 0] -= dx
            places[other, 1] -= dy
            for _ in range(REPELLED):
                random ^= random << np.uint64(13)
                random ^= random >> np.uint64(7)
                random ^= random << np.uint64(17)
                far = np.int64(((random >> np.uint64(32)) * n_cells) >> np.uint64(32))
                dx, dy = x - places[far, 0], y - places[far, 1]
                force = walk.push[np.float32(dx * dx + dy * dy).view(np.int32) >> SHIFTS]
                if far != one:
                    x += rate * min(max(force * dx, -MOST_SHIFT), MOST_SHIFT)
                    y += rate * min(max(force * dy, -MOST_SHIFT), MOST_SHIFT)
            places[one, 0], places[one, 1] = x, y
    walk.random[0] = random
