"""Leave each type out in turn and ask how well its cells are told from the known ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression, principal_components, variable_genes
from scviz.metrics.calibration import scaled
from scviz.metrics.novelty import (
    energy,
    entropy,
    max_softmax,
    missed,
    neighbor_distance,
    novelty_auroc,
    type_clouds,
)
from scviz.metrics.rejection import unassigned
from scviz.progress import Progress, Report
from scviz.tasks.annotation import NewType
from scviz.tasks.annotation.inputs import Inputs

MOST_CELLS = 4000
"""Labeled cells that are looked at; a random choice where there are more."""
MOST_TOLD = 800
"""Cells of either side that an AUROC is taken over."""
FEWEST_NEW = 6


def chosen_cells(inputs: Inputs, seed: int) -> NDArray[np.int64]:
    """Choose the labeled training and test cells that are looked at, (R,) rows in their order."""
    rows = np.concatenate([inputs.split.train, inputs.split.test])
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_CELLS])


def leave_types_out(
    inputs: Inputs,
    rows: NDArray[np.int64],
    vectors: NDArray[np.float32],
    *,
    seed: int,
    report: Report,
) -> tuple[NewType, ...]:
    """Test every type that has enough cells, with vectors of the frozen model and with principal components.

    Parameters
    ----------
    rows
        (R,) cells that are looked at.
    vectors
        (R, C) of the frozen model, which has learned nothing from their labels.
    """
    adata = inputs.adata[rows]
    expression = log_expression(adata.X, depth_of(inputs.adata).of(rows))
    codes, test = inputs.codes[rows], np.isin(rows, inputs.split.test)
    found: list[NewType] = []
    for code, name in enumerate(inputs.types):
        report(Progress(stage="Testing on new types", done=code, total=len(inputs.types)))
        new = codes == code
        known, asked = ~new & ~test, ~new & test
        if new.sum() < FEWEST_NEW or len(np.unique(codes[known])) < 2 or not asked.any():
            continue
        rng = np.random.default_rng((seed, code))
        told = np.concatenate([rng.permutation(np.flatnonzero(side))[:MOST_TOLD] for side in (new, asked)])
        genes = variable_genes(expression[known])
        components = principal_components(expression, genes=genes, fit_rows=np.flatnonzero(known), seed=seed)
        for space, values in (("model", vectors), ("expression", components)):
            odds = dict(_scores(values, codes, known=known, told=told))
            doubtful = unassigned(1 - odds["max_softmax"][:, None])
            for score, odd in odds.items():
                found.append(
                    NewType(
                        name=name,
                        n_new=int(new[told].sum()),
                        n_known=int((~new[told]).sum()),
                        vectors=space,
                        score=score,
                        auroc=novelty_auroc(odd, new[told], seed=seed),
                        missed=missed(odd, new[told]),
                        unassigned_new=float(doubtful[new[told]].mean()),
                        unassigned_known=float(doubtful[~new[told]].mean()),
                    )
                )
    return tuple(found)


def _scores(
    values: NDArray[np.float32],
    codes: NDArray[np.int64],
    *,
    known: NDArray[np.bool_],
    told: NDArray[np.int64],
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Score how odd cells are, (T,), in every way; all is fitted on known training cells."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(values[known])
    own, others = scaler.transform(values[known]), scaler.transform(values[told])
    classifier = LogisticRegression(max_iter=1000).fit(own, codes[known])
    logits = classifier.decision_function(others)
    if logits.ndim == 1:
        logits = np.stack([-logits / 2, logits / 2], axis=1)
    probabilities = scaled(logits, 1.0)
    clouds = type_clouds(own, codes[known], shrink=True)
    yield "max_softmax", max_softmax(probabilities)
    yield "energy", energy(logits)
    yield "entropy", entropy(probabilities)
    yield "mahalanobis", clouds.distance(others)
    yield "relative", clouds.relative_distance(others)
    yield "neighbors", neighbor_distance(own, others)
