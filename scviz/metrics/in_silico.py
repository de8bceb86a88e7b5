"""Statistics of in-silico perturbation: which genes move cells more than others do.

Every function reads values by gene, one value for each cell in which the gene was perturbed, and gives a table with the
columns of Geneformer's published statistics. Many values come from the same few cells and are not independent, so the
p values are optimistic; effects and numbers of cells belong beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from scviz.errors import RequestError
from scviz.metrics.evidence import fdr

Values: TypeAlias = Mapping[Any, NDArray[np.floating]]
"""By gene, or by genes that were perturbed together: one value for each cell."""

MOST_POOLED = 100_000
"""Values of all genes that one gene is compared with."""
POOL_SEED = 42
SIGNIFICANT = 0.05


def goal_state_shift(
    shifts: Mapping[str, Values], goal: str, alternatives: Sequence[str] = ()
) -> pd.DataFrame:
    """Compare the shifts of each gene with those of all genes, its own among them.

    Parameters
    ----------
    shifts
        By state, then by gene; above 0 = towards the state.

    Returns
    -------
    One row for each gene: mean shifts, two-sided rank-sum p values and Benjamini-Hochberg FDR for the goal and each
    alternative, the number of values, and whether the FDR of the goal is below 0.05. Significant genes come first,
    then those that shift most towards the goal.
    """
    genes = list(shifts[goal])
    means: dict[str, Any] = {"Gene": genes}
    p_values: dict[str, NDArray[np.float64]] = {}
    rates: dict[str, NDArray[np.float64]] = {}
    for state, end, suffix in [(goal, "goal", ""), *((state, "alt", f"_{state}") for state in alternatives)]:
        pool = _Pool(shifts[state])
        found = np.array([pool.p_value(shifts[state][gene]) for gene in genes])
        means[f"Shift_to_{end}_end{suffix}"] = [_mean(shifts[state][gene]) for gene in genes]
        p_values[f"{end.capitalize()}_end_vs_random_pval{suffix}"] = found
        rates[f"{end.capitalize()}_end_FDR{suffix}"] = fdr(found)
    table = pd.DataFrame(means | p_values | rates)
    table["N_Detections"] = [len(shifts[goal][gene]) for gene in genes]
    return _most_significant_first(table, "Shift_to_goal_end", "Goal_end_FDR")


def group_shift(shifts: Mapping[str, Values], goal: str, alternatives: Sequence[str] = ()) -> pd.DataFrame:
    """Average the shifts of one group of genes that were perturbed together; there is nothing to test it against."""
    columns = {"Shift_to_goal_end": goal} | {f"Shift_to_alt_end_{state}": state for state in alternatives}
    return pd.DataFrame(
        {column: [_mean(next(iter(shifts[state].values())))] for column, state in columns.items()}
    )


def mixture_model(values: Values, *, published: bool = False) -> pd.DataFrame:
    """Split genes into those with and those without impact by a mixture of two normal distributions of their means.

    A gene whose mean is above that of the higher component has no impact (0), one below that of the lower component
    has (1); between them the component decides that is more likely.

    Parameters
    ----------
    values
        Similarities, 1 = no effect.
    published
        Take the component that happens to come first for the lower one, as the authors' code does.

    Returns
    -------
    One row for each gene, with the share of its cells that have impact by the same rule, in percent.

    Raises
    ------
    RequestError
        If there are fewer than two genes.
    """
    from sklearn.mixture import GaussianMixture

    genes = sorted(values)
    if len(genes) < 2:
        raise RequestError("A mixture of two components needs two genes.", hint="Perturb more genes.")
    means = np.array([_mean(values[gene]) for gene in genes])
    mixture = GaussianMixture(n_components=2, random_state=0).fit(means[:, None])
    centers = mixture.means_[:, 0]
    low, high = (0, 1) if published else np.argsort(centers)

    def has_impact(shifts: NDArray[np.floating]) -> NDArray[np.bool_]:
        likely = mixture.predict(np.asarray(shifts, dtype=np.float64)[:, None]) == low
        return np.where(shifts > centers[high], False, np.where(shifts < centers[low], True, likely))

    table = pd.DataFrame(
        {
            "Gene": genes,
            "Test_avg_shift": means,
            "Impact_component": has_impact(means).astype(int),
            "Impact_component_percent": [100.0 * has_impact(values[gene]).mean() for gene in genes],
            "N_Detections": [len(values[gene]) for gene in genes],
        }
    )
    order = ["Impact_component", "Test_avg_shift"]
    return table.sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


def aggregate_data(values: Values) -> pd.DataFrame:
    """List the similarities of genes cell by cell."""
    rows = [(float(value), gene) for gene, found in values.items() for value in found]
    return pd.DataFrame(rows, columns=["Cosine_sim", "Gene"])


class _Pool:
    """Values of many genes, sorted once, that the values of each gene are compared with."""

    def __init__(self, values: Values) -> None:
        pooled = np.concatenate([np.empty(0), *values.values()])
        if len(pooled) > MOST_POOLED:
            pooled = np.random.default_rng(POOL_SEED).choice(pooled, MOST_POOLED, replace=False)
        self.sorted = np.sort(pooled)

    def p_value(self, values: NDArray[np.floating]) -> float:
        """Test whether values rank higher or lower than the pool: two-sided Wilcoxon rank-sum, normal approximation.

        NaN without values or without a pool.
        """
        n, m = len(self.sorted), len(values)
        if not n or not m:
            return float("nan")
        below = np.searchsorted(self.sorted, values, side="left")
        up_to = np.searchsorted(self.sorted, values, side="right")
        more = float((below + up_to).sum()) / 2  # pairs in which the gene is higher, ties half
        spread = np.sqrt(n * m * (n + m + 1) / 12)
        return float(2 * ndtr(-abs(more - n * m / 2) / spread))


def _mean(values: NDArray[np.floating]) -> float:
    """Average; NaN without values."""
    return float(np.mean(values)) if len(values) else float("nan")


def _most_significant_first(table: pd.DataFrame, effect: str, rate: str) -> pd.DataFrame:
    """Mark what is significant, and sort by that, then by effect, then by rate."""
    table["Sig"] = (table[rate] < SIGNIFICANT).astype(int)
    order = ["Sig", effect, rate]
    return table.sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)
