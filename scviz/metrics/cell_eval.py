"""Scores of predicted cells under the names and by the rules of cell-eval 0.8, to compare with printed numbers.

Its scores of changed genes presuppose cells that vary as real ones do. A method that predicts means alone must not be
ranked with them: nearly perfect means with little noise around them score next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from scviz.metrics.differential import RankSumTable, rank_sum_table
from scviz.metrics.perturbation import discrimination

SIGNIFICANT = 0.05
LEAST_FDR = 1e-10
DEPTHS: dict[str, int | None] = {"N": None, "50": 50, "100": 100, "200": 200, "500": 500}
DISTANCES = {"l1": "cityblock", "l2": "euclidean", "cosine": "cosine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Cells of one side, predicted or measured; both sides have the same perturbations."""

    control: NDArray[np.floating]
    """(m, G) log1p expression of control cells."""
    cells: Mapping[str, NDArray[np.floating]]
    """By perturbation, (n, G); not below 0."""

    def __post_init__(self) -> None:
        for name, cells in self.cells.items():
            if np.min(cells) < 0:
                raise ValueError(
                    f"Cells of {name} go down to {np.min(cells):.3g}: log1p expression is not below 0."
                )

    @property
    def deltas(self) -> NDArray[np.float64]:
        """(P, G) change of the mean."""
        return np.asarray(self.means - self.control.mean(axis=0, dtype=np.float64))

    @property
    def means(self) -> NDArray[np.float64]:
        """(P, G)."""
        return np.array([cells.mean(axis=0, dtype=np.float64) for cells in self.cells.values()])

    @property
    def tables(self) -> list[RankSumTable]:
        """One test of all genes for each perturbation."""
        return [rank_sum_table(cells, self.control) for cells in self.cells.values()]


def cell_eval_scores(predicted: Side, observed: Side, genes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Score each perturbation by the metrics of cell-eval but for `clustering_agreement`.

    The agreement of clusters is left out: it needs Leiden clustering and depends on its random choices.

    Returns
    -------
    By the authors' name of the metric, (P,) in the order of `observed.cells`; NaN where it is not defined.

    Raises
    ------
    ValueError
        If both sides do not hold the same perturbations in the same order.
    """
    if list(predicted.cells) != list(observed.cells):
        raise ValueError("Predicted and measured cells are not of the same perturbations in the same order.")
    names = list(observed.cells)
    tables = list(zip(predicted.tables, observed.tables, strict=True))
    rows = [_of_changed_genes(one, real) for one, real in tables]
    scores = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    counts = [scores["de_nsig_counts_real"], scores["de_nsig_counts_pred"]]
    scores["de_spearman_sig"] = np.full(len(names), _agreement_of_counts(*counts))
    scores |= _of_means(predicted, observed, names, genes=genes)
    far = [
        np.array([energy_distance(cells, side.control) for cells in side.cells.values()])
        for side in (observed, predicted)
    ]
    scores["pearson_edistance"] = np.full(len(names), _correlation(far[0], far[1]))
    return scores


def _of_means(
    predicted: Side, observed: Side, names: Sequence[str], *, genes: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Score mean expression and its change."""
    changes, errors = (predicted.deltas, observed.deltas), predicted.means - observed.means
    of_changes = changes[0] - changes[1]
    scores = {
        "pearson_delta": np.array([_correlation(*pair) for pair in zip(*changes, strict=True)]),
        "mse": (errors**2).mean(axis=1),
        "mae": np.abs(errors).mean(axis=1),
        "mse_delta": (of_changes**2).mean(axis=1),
        "mae_delta": np.abs(of_changes).mean(axis=1),
    }
    targets = [[i for i, gene in enumerate(genes) if gene == name] for name in names]
    for short, distance in DISTANCES.items():
        found = discrimination(changes[0], changes[1], targets, distance=distance, published=True)
        scores[f"discrimination_score_{short}"] = found
    return scores


def _of_changed_genes(predicted: RankSumTable, observed: RankSumTable) -> dict[str, float]:
    """Score the genes that change significantly in one perturbation."""
    found, real = (_by_change(table) for table in (predicted, observed))
    scores = {}
    for name, depth in DEPTHS.items():
        for kind, size in (("overlap", len(real)), ("precision", len(found))):
            k = min(depth or size, size)
            both = len(set(real[:k]) & set(found[:k]))
            scores[f"{kind}_at_{name}"] = both / k if k and len(real) and len(found) else 0.0
    changes = [table.log2_fold_change[real] for table in (predicted, observed)]
    scores["de_direction_match"] = _mean(np.sign(changes[0]) == np.sign(changes[1]))
    scores["de_spearman_lfc_sig"] = _rank_correlation(changes[0], changes[1])
    scores["de_sig_genes_recall"] = _mean(np.isin(real, found))
    scores["de_nsig_counts_real"], scores["de_nsig_counts_pred"] = float(len(real)), float(len(found))
    return scores | _areas(predicted.fdr, observed.fdr < SIGNIFICANT)


def _by_change(table: RankSumTable) -> NDArray[np.int64]:
    """List significant genes, the largest absolute fold change first."""
    genes = np.flatnonzero(table.fdr < SIGNIFICANT)
    return genes[np.argsort(-np.abs(table.log2_fold_change[genes]), kind="stable")]


def _areas(fdr: NDArray[np.float64], significant: NDArray[np.bool_]) -> dict[str, float]:
    """Say how well predicted significance finds truly significant genes; NaN where all or none are."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if significant.all() or not significant.any():
        return {"pr_auc": float("nan"), "roc_auc": float("nan")}
    strength = -np.log10(np.maximum(fdr, LEAST_FDR))
    return {
        "pr_auc": float(average_precision_score(significant, strength)),
        "roc_auc": float(roc_auc_score(significant, strength)),
    }


def _agreement_of_counts(real: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Correlate numbers of significant genes by rank, over perturbations that have any; 1 where none has."""
    some = real > 0
    return _rank_correlation(real[some], found[some]) if some.any() else 1.0


def energy_distance(some: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Measure how far cells, (n, G) and (m, G), are apart, against how far those of a group are from each other.

    Distances are averaged in the precision of the values, as the authors do.

    Examples
    --------
    >>> energy_distance(np.array([[0.0], [2.0]]), np.array([[4.0], [6.0]]))
    6.0
    """
    from sklearn.metrics import pairwise_distances

    across, *within = (pairwise_distances(*pair).mean() for pair in ((some, others), (some,), (others,)))
    return float(2 * across - within[0] - within[1])


def _mean(values: NDArray[np.bool_]) -> float:
    """Average; NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson correlation; NaN where nothing varies."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman correlation; NaN where nothing varies."""
    return _correlation(rankdata(x), rankdata(y))
