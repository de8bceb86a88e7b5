"""Links from regulators to targets by boosted trees, as GRNBoost2 finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.networks.binned_trees import Binned, binned, boosted
from scviz.networks.contract import Edges
from scviz.progress import Progress, Report, silent
from scviz.workspace.chunks import Chunks

Expression: TypeAlias = NDArray[np.floating] | sp.csr_matrix | sp.csc_matrix
"""(N, G) expression of cells."""

WINDOW = 25
"""Rounds over which the gain on cells that were left out is averaged."""
MOST_ROUNDS = 5000
N_SEEDS = 3
"""Fits of a target whose importances are averaged; the published method has one."""
CHUNK = 20
"""Targets in one file of results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well regulators explain one target."""

    importance: NDArray[np.float64]
    """(R,) of each regulator, times the number of trees; 0 for the target itself."""
    n_trees: float
    """Mean over the seeds."""


def grnboost(known: Binned, target: NDArray[np.floating], *, left_out: int = -1, seed: int) -> Fit:
    """Explain a target by its regulators with boosted trees on binned expression, the mean of three seeds.

    Trees are added until the mean gain of the last 25 on the tenth of the cells that each leaves out is below 0.

    Parameters
    ----------
    target
        (N,) expression of the target.
    left_out
        Number of the regulator that the target itself is; -1 for none.

    References
    ----------
    Moerman et al. (2019), doi:10.1093/bioinformatics/bty916.
    """
    fits = [
        boosted(known, target, left_out=left_out, seed=own, most_rounds=MOST_ROUNDS, window=WINDOW)
        for own in np.random.SeedSequence(seed).generate_state(N_SEEDS).tolist()
    ]
    return Fit(
        importance=np.mean([importance for importance, _ in fits], axis=0),
        n_trees=float(np.mean([n_trees for _, n_trees in fits])),
    )


def published_grnboost(regulators: NDArray[np.floating], target: NDArray[np.floating], *, seed: int) -> Fit:
    """Explain a target by its regulators with scikit-learn's trees, as arboreto calls them.

    Parameters
    ----------
    regulators
        (N, R) expression of the regulators, the target not among them.
    target
        (N,) expression of the target.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    trees = GradientBoostingRegressor(
        learning_rate=0.01, n_estimators=MOST_ROUNDS, max_features=0.1, subsample=0.9, random_state=seed
    )
    trees.fit(regulators, target, monitor=_no_gain)
    grown = len(trees.estimators_)
    return Fit(importance=trees.feature_importances_ * grown, n_trees=grown)


def _no_gain(done: int, trees: Any, _: object) -> bool:
    """Tell whether the last trees explain nothing of the cells that they left out."""
    last = trees.oob_improvement_[max(0, done - WINDOW + 1) : done + 1]
    return done >= WINDOW - 1 and bool(np.mean(last) < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Strength of every link from R regulators to T targets."""

    importance: NDArray[np.float64]
    """(R, T); 0 where there is none, or regulator and target are one gene."""
    n_trees: NDArray[np.float64]
    """(T,) of each target."""


def boosted_network(
    expression: Expression,
    regulators: Sequence[int],
    targets: Sequence[int],
    *,
    seed: int,
    published: bool = False,
    chunks: Chunks | None = None,
    report: Report = silent,
) -> Network:
    """Explain each target by all regulators but itself.

    Parameters
    ----------
    expression
        (N, G) expression; of a sparse matrix the regulators and one target at a time are made dense.
    regulators, targets
        Columns of the R regulators and of the T targets.
    published
        Take scikit-learn's trees, which split between any two values and take twenty times as long.
    chunks
        Where finished targets are kept; those of an earlier try, or of another process, are not fitted again.
    report
        Called before each target.
    """
    found = np.zeros((len(targets), len(regulators) + 1))
    numbers = chunks.all_of if chunks is not None else range
    for number, fitted in fitted_chunks(
        expression,
        regulators,
        targets,
        numbers=numbers,
        seed=seed,
        published=published,
        chunks=chunks,
        report=report,
    ):
        found[number * CHUNK : (number + 1) * CHUNK] = fitted
    return Network(importance=found[:, :-1].T.copy(), n_trees=found[:, -1])


def fitted_chunks(
    expression: Expression,
    regulators: Sequence[int],
    targets: Sequence[int],
    *,
    numbers: Callable[[int], Iterable[int | None]],
    seed: int,
    published: bool = False,
    chunks: Chunks | None = None,
    report: Report = silent,
) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Explain targets chunk by chunk; each is kept as soon as it is there.

    Parameters
    ----------
    numbers
        Of which chunks, of so many; None while other processes have all that is left.

    Yields
    ------
    Number of a chunk, and of each of its targets the importance of the regulators and the number of trees, (n, R + 1).
    """
    expression = sp.csc_matrix(expression) if sp.issparse(expression) else expression
    known = _columns(expression, list(regulators)).astype(np.float32)  # as scikit-learn's trees take it
    bins, done = binned(known), 0

    def explained(target: int) -> NDArray[np.float64]:
        values, others = _columns(expression, [target])[:, 0], np.asarray(regulators) != target
        if published:
            return _published_row(known, values, others=others, seed=seed)
        fit = grnboost(bins, values, left_out=-1 if others.all() else int((~others).argmax()), seed=seed)
        return np.append(fit.importance, fit.n_trees)

    try:
        for number in numbers(-(-len(targets) // CHUNK)):
            if number is None:
                report(Progress(stage="Growing trees", done=done, total=len(targets)))
                continue
            part = targets[number * CHUNK : (number + 1) * CHUNK]
            fitted = chunks.read(number) if chunks is not None else None
            if fitted is None:
                rows: list[NDArray[np.float64]] = []
                for target in part:
                    report(Progress(stage="Growing trees", done=done + len(rows), total=len(targets)))
                    rows.append(explained(target))
                    if chunks is not None:
                        chunks.keep_claim()
                fitted = np.array(rows)
                if chunks is not None:
                    chunks.write(number, fitted)
            done += len(part)
            yield number, fitted
    finally:
        if chunks is not None:
            chunks.give_back()


def _published_row(
    known: NDArray[np.float32], values: NDArray[np.floating], *, others: NDArray[np.bool_], seed: int
) -> NDArray[np.float64]:
    """Give the importance of the regulators, those but the target itself, and the number of trees, (R + 1,)."""
    row = np.zeros(len(others) + 1)
    if others.any():
        fit = published_grnboost(np.ascontiguousarray(known[:, others]), values, seed=seed)
        row[:-1][others] = fit.importance
        row[-1] = fit.n_trees
    return row


def _columns(expression: Expression, columns: list[int]) -> NDArray[np.floating]:
    """Take some genes, (N, k) dense."""
    part: Any = expression[:, columns]
    return np.asarray(part.toarray() if sp.issparse(part) else part)


def correlations(
    expression: Expression, regulators: Sequence[int], targets: Sequence[int]
) -> NDArray[np.float64]:
    """Correlate each regulator with each target over all cells, dropouts counted.

    Parameters
    ----------
    expression
        (N, G) expression.

    Returns
    -------
    (R, T) Pearson correlations; NaN where a gene is equal in all cells.

    Examples
    --------
    >>> correlations(np.array([[0.0, 0.0, 1.0], [1.0, 2.0, 0.0]]), [0], [1, 2]).round(9)
    array([[ 1., -1.]])
    """
    left = _standardized(_columns(expression, list(regulators)))  # (N, R)
    answer = np.empty((len(regulators), len(targets)))
    for start in range(0, len(targets), BLOCK):
        part = list(targets[start : start + BLOCK])
        answer[:, start : start + BLOCK] = left.T @ _standardized(_columns(expression, part))
    return answer.clip(-1, 1)


BLOCK = 1000
"""Targets that are made dense at a time."""


def _standardized(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give each gene mean 0 and length 1, (N, k); NaN where it is constant."""
    centered = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    length = np.sqrt((centered**2).sum(axis=0))
    length[length < 1e-12] = np.nan
    return np.asarray(centered / length)


def edges_of(
    strength: NDArray[np.floating],
    regulators: Sequence[str],
    targets: Sequence[str],
    *,
    most: int | None = None,
) -> Edges:
    """List the links above 0, the strongest first; never from a gene to itself.

    Parameters
    ----------
    strength
        (R, T) of each link; NaN is no link.
    most
        How many at most.

    Examples
    --------
    >>> edges_of(np.array([[5.0, 0.0, 2.0]]), ["A"], ["A", "B", "C"]).targets
    ('C',)
    """
    same = np.asarray(regulators)[:, None] == np.asarray(targets)[None, :]
    shown = np.where(same, 0.0, np.nan_to_num(strength))
    rows, columns = np.nonzero(shown > 0)
    order = np.argsort(-shown[rows, columns], kind="stable")[:most]
    return Edges(
        sources=tuple(regulators[i] for i in rows[order]),
        targets=tuple(targets[i] for i in columns[order]),
        weights=np.asarray(shown[rows[order], columns[order]], dtype=np.float64),
    )
