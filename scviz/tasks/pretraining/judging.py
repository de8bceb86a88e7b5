"""What a trained model gains over the frequency baseline, and over the weights it went on from, cell by cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.metrics.evidence import WORTHWHILE, Gain, bootstrap

FEWEST_JUDGED = 30
"""Fewer held-out cells cannot tell: losses of cells differ much, and a bootstrap of a few is too sure of itself."""
MOST_JUDGED = 500
"""Held-out cells that are read one by one."""
UNIT = "loss on hidden genes (lower is better; the difference is what is saved)"


def cell_losses(
    model: FoundationModel, loss: Callable[[NDArray[np.int64]], Tensor], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the model's own loss of each cell, without training.

    Parameters
    ----------
    loss
        From rows to their mean loss, a scalar.
    rows
        (M,) cells.

    Returns
    -------
    (M,) what is hidden of a cell is the same in every call.
    """
    model.eval()
    with torch.no_grad():
        losses = [float(loss(rows[i : i + 1])) for i in range(len(rows))]
    model.train()
    return np.array(losses, dtype=np.float64)


def frequency_losses(model: FoundationModel, known: Tokens, asked: Tokens) -> NDArray[np.float64]:
    """Give the loss of each cell of `asked` for a baseline that knows only how common each answer is, (M,)."""
    return np.array([model.blind_loss(known, asked.take(slice(i, i + 1))) for i in range(len(asked))])


def saved(
    model: NDArray[np.float64], baseline: NDArray[np.float64], *, name: str, over: str, seed: int
) -> Gain:
    """Say what a model saves of the loss of a baseline.

    Parameters
    ----------
    model, baseline
        (M,) losses of the same cells.
    name, over
        What they are called.

    Examples
    --------
    >>> losses = np.tile([1.0, 1.1, 0.9], 10)
    >>> saved(losses, losses + 1, name="Mine", over="the frequency baseline", seed=0).outcome
    'better'
    """
    both = np.isfinite(model) & np.isfinite(baseline)
    score, other = (
        float(values[both].mean()) if both.any() else float("nan") for values in (model, baseline)
    )
    return Gain(
        model=name,
        baseline=over,
        score=score,
        baseline_score=other,
        difference=bootstrap((baseline - model)[both], seed=seed, fewest=FEWEST_JUDGED),
        unit=UNIT,
        counted="held-out cells",
        n=int(both.sum()),
        worthwhile=WORTHWHILE * abs(other) if np.isfinite(other) else WORTHWHILE,
    )
