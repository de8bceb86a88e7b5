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
