"""How long a cell takes, in training and in naming."""

from __future__ import annotations

import time

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.classifier import CellTypeClassifier
from scviz.tasks.annotation.learning import cross_entropy


def seconds_per_cell(
    classifier: CellTypeClassifier,
    adata: AnnData,
    rows: NDArray[np.int64],
    *,
    codes: NDArray[np.int64] | None = None,
) -> float:
    """Time two batches, the second of which counts.

    Parameters
    ----------
    adata
        (N, G) raw counts.
    rows
        (R,) cells of both batches.
    codes
        (N,) types to learn from; without them cells are named only.
    """
    halves = np.array_split(rows, 2)
    train, seconds = codes is not None, 0.0
    classifier.train(train)
    for part in halves:
        start = time.perf_counter()
        with torch.set_grad_enabled(train):
            scores = classifier(classifier.encoder.tokenize(adata[part]))
            if codes is not None:
                torch.autograd.backward(cross_entropy(scores, codes[part]))
        seconds = time.perf_counter() - start
    classifier.zero_grad()
    return seconds / max(1, len(halves[-1]))
