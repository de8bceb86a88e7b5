"""How near each method comes to the original cells, and what the model gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.expression import log_expression, principal_components
from scviz.metrics.clustering import cell_silhouettes, mean_of_known
from scviz.metrics.evidence import Gain, Interval, bootstrap
from scviz.metrics.restoration import cell_correlations, gain_over
from scviz.tasks.enhancement import MODEL, ORIGINAL
from scviz.tasks.enhancement.check import FEWEST_CELLS, DownSampled
from scviz.tasks.enhancement.inputs import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The fields of a Result that say how good denoising is."""

    correlations: dict[str, NDArray[np.float64]]
    """(M,) of each method."""
    scores: dict[str, Interval]
    silhouettes: dict[str, float]
    cell_silhouettes: dict[str, NDArray[np.float64]]
    """(M,) of each method and of the original cells."""
    original_silhouette: float
    gain: Gain


def judge(
    methods: Mapping[str, NDArray[np.float32]],
    inputs: Inputs,
    sampled: DownSampled,
    *,
    name: str,
    seed: int,
) -> Judged:
    """Compare each method with the cells before they were down-sampled.

    Parameters
    ----------
    methods
        (M, K) log1p expression of the down-sampled cells by each method, "model" among them.
    name
        Name of the model in the verdict.
    """
    rows = sampled.rows
    original = log_expression(inputs.adata.X[rows]).toarray()
    correlations = {method: cell_correlations(values, original) for method, values in methods.items()}
    apart: dict[str, NDArray[np.float64]] = {}
    if inputs.types.column:
        types, shown = inputs.types.codes[rows], {**methods, ORIGINAL: original}
        apart = {method: type_silhouettes(values, types, seed=seed) for method, values in shown.items()}
    means = {method: mean_of_known(values) for method, values in apart.items()}
    baselines = {method: values for method, values in correlations.items() if method != MODEL}
    return Judged(
        correlations=correlations,
        scores={method: bootstrap(values, seed=seed) for method, values in correlations.items()},
        original_silhouette=means.pop(ORIGINAL, float("nan")),
        silhouettes=means,
        cell_silhouettes=apart,
        gain=gain_over(correlations[MODEL], baselines, name=name, seed=seed),
    )


def type_silhouettes(
    expression: NDArray[np.float32], types: NDArray[np.int64], *, seed: int
) -> NDArray[np.float64]:
    """Say how far each cell stands apart from those of other types among principal components, (M,) from -1 to 1.

    Parameters
    ----------
    expression
        (M, G) log1p expression.
    types
        (M,) -1 for cells without a type, which are left out and get NaN.
    """
    known, found = types >= 0, np.full(len(types), np.nan)
    if known.sum() >= FEWEST_CELLS:
        vectors = principal_components(csr_matrix(expression[known]), seed=seed)
        found[known] = cell_silhouettes(vectors, types[known], seed=seed)
    return found
