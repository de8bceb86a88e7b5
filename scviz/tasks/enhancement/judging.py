"""How near each method comes to the original cells, and what the model gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.expression import log_expression, principal_components
from scviz.metrics.clustering import silhouette
from scviz.metrics.evidence import Gain, Interval, bootstrap
from scviz.metrics.restoration import cell_correlations, gain_over
from scviz.tasks.enhancement import MODEL
from scviz.tasks.enhancement.check import FEWEST_CELLS, DownSampled
from scviz.tasks.enhancement.inputs import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The fields of a Result that say how good denoising is."""

    correlations: dict[str, NDArray[np.float64]]
    """(M,) of each method."""
    scores: dict[str, Interval]
    silhouettes: dict[str, float]
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
    apart: dict[str, float] = {}
    original_silhouette = float("nan")
    if inputs.types.column:
        types = inputs.types.codes[rows]
        apart = {method: type_silhouette(values, types, seed=seed) for method, values in methods.items()}
        original_silhouette = type_silhouette(original, types, seed=seed)
    baselines = {method: values for method, values in correlations.items() if method != MODEL}
    return Judged(
        correlations=correlations,
        scores={method: bootstrap(values, seed=seed) for method, values in correlations.items()},
        silhouettes=apart,
        original_silhouette=original_silhouette,
        gain=gain_over(correlations[MODEL], baselines, name=name, seed=seed),
    )


def type_silhouette(expression: NDArray[np.float32], types: NDArray[np.int64], *, seed: int) -> float:
    """Say how far known types stand apart among principal components, -1 to 1.

    Parameters
    ----------
    expression
        (M, G) log1p expression.
    types
        (M,) -1 for cells without a type, which are left out.
    """
    known = types >= 0
    if known.sum() < FEWEST_CELLS:
        return float("nan")
    vectors = principal_components(csr_matrix(expression[known]), seed=seed)
    return silhouette(vectors, types[known], seed=seed)
