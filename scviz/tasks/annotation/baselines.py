"""What any model must beat: logistic regression on principal components, and the most common type."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import (
    N_VARIABLE_GENES,
    depth_of,
    log_expression,
    principal_components,
    variable_genes,
)
from scviz.datasets.split import Split

MAJORITY = "the most common type"
LOGISTIC_VARIABLE = "logistic regression on 50 PCs of variable genes"
LOGISTIC_ALL = "logistic regression on 50 PCs of all genes"


def baselines(
    adata: AnnData, types: NDArray[np.int64], split: Split, *, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Name the test cells with each baseline, which sees the same training cells as the model.

    Parameters
    ----------
    adata
        (N, G) raw counts.
    types
        (N,) type of each cell, -1 for none.

    Returns
    -------
    (M,) types of the test cells, by name of the baseline.
    """
    known = np.concatenate([split.train, split.validation])
    expression = log_expression(adata.X, depth_of(adata))
    chosen = variable_genes(expression[known])
    components = {LOGISTIC_ALL: principal_components(expression, fit_rows=known, seed=seed)}
    if len(chosen) == N_VARIABLE_GENES:  # else these are all genes that are there
        variable = principal_components(expression, genes=chosen, fit_rows=known, seed=seed)
        components = {LOGISTIC_VARIABLE: variable, **components}
    predicted = {
        name: _logistic_regression(vectors[known], types[known], vectors[split.test])
        for name, vectors in components.items()
    }
    majority = int(np.bincount(types[known]).argmax())
    return {**predicted, MAJORITY: np.full(len(split.test), majority, dtype=np.int64)}


def _logistic_regression(
    known: NDArray[np.float32], types: NDArray[np.int64], unknown: NDArray[np.float32]
) -> NDArray[np.int64]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(known, types)
    answer: NDArray[np.int64] = model.predict(unknown).astype(np.int64)
    return answer
