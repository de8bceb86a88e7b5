"""Losses and hiding of the authors' fine-tuning of scGPT, which nothing here trains with."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


class Choose(Protocol):
    """What numpy's generators, the old one too, have to draw without repetition."""

    def choice(self, a: ArrayLike, size: int, *, replace: bool) -> NDArray[np.int64]:
        """Draw some of an array."""


def hide_share(
    values: NDArray[np.float32], may: NDArray[np.bool_], rng: Choose, *, share: float, mask_value: float
) -> NDArray[np.float32]:
    """Hide the same share of the bins of each cell, rounded down, as in fine-tuning, (B, L)."""
    shown = values.copy()
    for row, places in enumerate(map(np.flatnonzero, may)):
        shown[row, rng.choice(places, int(len(places) * share), replace=False)] = mask_value
    return shown


def masked_relative_error(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Average errors, relative to what is true, over a mask, a scalar."""
    return ((predicted - target).abs() / (target + 1e-6))[mask].mean()


def expressed_loss(probability: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Average the negative log likelihood of which genes are expressed over a mask, a scalar.

    Parameters
    ----------
    probability
        (B, L) that a gene is expressed.
    target
        (B, L) its bins.
    """
    likelihood = torch.where(target > 0, probability, 1 - probability).float().clamp(min=1e-7)
    return -(likelihood.log() * mask).sum() / mask.sum()
