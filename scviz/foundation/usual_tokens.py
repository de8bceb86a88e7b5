"""Most genes of a cell are not expressed, and look alike in every cell: the sums of the first layer are made once.

A cell that expresses nothing is read once for a set of weights. The sums of another cell's keys are those, less the
tokens that it has otherwise, plus what these are in this cell. See `scviz.foundation.linear_attention` for the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from scviz.foundation.linear_attention import EPSILON, KeySums, LayerParts, key_sums

MOST_OTHERS = 0.4
"""Share of a cell's tokens from which on all are read: others are read twice."""
MOST_FALL = 3.0
"""What the largest exponent may fall by where usual tokens go: precision falls e-fold with each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A cell that expresses nothing, as a layer reads it."""

    hidden: Tensor
    """(L, D)"""
    keys: KeySums


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlike:
    """How a cell differs from one that expresses nothing."""

    usual: Usual
    others: Tensor
    """(E,) places of the tokens that differ."""

    def sums(self, hidden: Tensor, parts: LayerParts) -> Tensor | None:
        """Finish the sums of the keys of this cell, (H, m, d + 1); None where all tokens must be read.

        Parameters
        ----------
        hidden
            (L, D) tokens of the cell.
        """
        if not 0 < len(self.others) < len(hidden) * MOST_OTHERS:
            return None
        usual = self.usual.keys
        gone, come = (key_sums(tokens[self.others], parts) for tokens in (self.usual.hidden, hidden))
        rest = usual.highest.index_fill(0, self.others, -torch.inf).max()
        largest = torch.maximum(rest, come.largest)
        if usual.largest - largest > MOST_FALL:
            return None
        scaled = (part.sums * (part.largest - largest).exp() for part in (usual, gone, come))
        all_usual, without, others = scaled
        values = usual.values - gone.values + come.values
        return all_usual - without + others + EPSILON * values[:, None]


class UsualTokens:
    """Keeps a cell that expresses nothing for as long as the weights stay that it was made of."""

    def __init__(self) -> None:
        self._made_of: list[tuple[int, int]] | None = None
        self._usual: Usual | None = None

    def of(self, weights: Iterable[Tensor], make: Callable[[], tuple[Tensor, LayerParts]]) -> Usual:
        """Give it, made anew where a weight has changed.

        Parameters
        ----------
        weights
            All that `make` reads.
        make
            Gives the (L, D) tokens and the layer that reads them.
        """
        state = [(weight.data_ptr(), weight._version) for weight in weights]
        if self._usual is None or state != self._made_of:
            hidden, parts = make()
            self._usual, self._made_of = Usual(hidden=hidden, keys=key_sums(hidden, parts)), state
        return self._usual
