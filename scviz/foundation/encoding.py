"""What an encoder gives for a batch of cells."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Encoding:
    """Vectors of tokens and of cells."""

    tokens: Tensor
    """(B, L, D) of the last layer; rows of padding are zero."""
    cells: Tensor
    """(B, C) the model's own summary of each cell."""
    mask: Tensor
    """(B, L) True = real token."""


def mean_of_tokens(tokens: Tensor, mask: Tensor) -> Tensor:
    """Average token vectors over the places of the mask, (B, L, D) to (B, D); NaN where there are none."""
    weights = mask[..., None].float()  # (B, L, 1); sums in single precision, whatever the tokens are
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1)
