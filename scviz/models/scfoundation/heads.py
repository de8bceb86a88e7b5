"""What stands for a cell of scFoundation, and the head that names its type."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scviz.foundation.encoding import Encoding, mean_of_tokens
from scviz.foundation.model import Head, Pooling


def without_depth(mask: Tensor) -> Tensor:
    """Leave out the last two tokens of each cell, T and S, (B, L)."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return mask & (places < mask.sum(dim=1, keepdim=True) - 2)


def highest(tokens: Tensor, mask: Tensor) -> Tensor:
    """Take the maximum over the places of the mask, (B, L, D) to (B, D); NaN where there are none."""
    vectors = tokens.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
    return vectors.masked_fill(~mask.any(dim=1, keepdim=True), torch.nan)


class CellHead(Head):
    """Normalization over the batch, linear, ReLU, linear.

    Parameters
    ----------
    pooling
        "published" reads the maximum over genes, "mean" their mean.
    depth_tokens
        Whether the last two tokens of each cell are T and S, which are not read.
    """

    def __init__(self, width: int, n_types: int, *, pooling: Pooling, depth_tokens: bool) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width, affine=False, eps=1e-6)
        self.hidden = nn.Linear(width, 256)
        self.classifier = nn.Linear(256, n_types)
        self.pooling, self.depth_tokens = pooling, depth_tokens

    def select(self, encoding: Encoding) -> Tensor:
        """Take the vector that stands for each cell, (B, D)."""
        mask = without_depth(encoding.mask) if self.depth_tokens else encoding.mask
        return (highest if self.pooling == "published" else mean_of_tokens)(encoding.tokens, mask)

    def normed(self, selected: Tensor) -> Tensor:
        """Return what the linear parts read, (B, D); one cell alone is measured by the cells seen before."""
        if len(selected) > 1 or not self.training:
            return self.norm(selected)  # type: ignore[no-any-return]
        return functional.batch_norm(
            selected, self.norm.running_mean, self.norm.running_var, eps=self.norm.eps
        )

    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K)."""
        inner = functional.relu(self.hidden(self.normed(selected)))
        return self.classifier(inner)  # type: ignore[no-any-return]
