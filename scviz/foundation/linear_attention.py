r"""A layer of linear attention and its feed-forward part, some tokens at a time, so that no tensor holds all features.

Each head turns queries and keys into m features, :math:`f(u) = e^{P s u - s^2 |u|^2 / 2 - c} + \epsilon` with
:math:`s = d^{-1/4}`; c is the largest exponent of a query, or that of all keys of a cell. What comes out is
:math:`f(q)^T C / f(q)^T z` with :math:`[C, z] = \sum_j f(k_j) [v_j, 1]^T`. Keys go by first, in tiles: the sums are
rescaled whenever a larger exponent is met, which ends exactly at that of all keys, and :math:`\epsilon` is added to the
sums and not to every feature. Then queries go by, and each tile runs to the end of the layer while it is in cache.

An exponential less the largest of a row is what softmax gives over its largest entry, and softmax is the faster one.
For reading only: nothing is kept for gradients.

References
----------
Choromanski et al. (2021), arXiv:2009.14794, equations 5 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-4
"""What is added to every feature, so that no token is left without attention."""
TILE = 512
"""Tokens whose features, (512, m) of one head, stay in a core's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerParts:
    """The parts of a layer that adds attention of what its norm gives, and then a feed-forward part of the same."""

    attention_norm: nn.LayerNorm
    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    directions: Tensor
    """(m, d) random directions of a head."""
    n_heads: int
    feed_forward_norm: nn.LayerNorm
    widen: nn.Linear
    narrow: nn.Linear

    @property
    def scaled_directions(self) -> Tensor:
        """(d, m) directions with the factor :math:`s` of a query or key."""
        directions = self.directions.float()
        found: Tensor = (directions * directions.shape[1] ** -0.25).T.contiguous()
        return found

    def heads(self, vectors: Tensor) -> Tensor:
        """Split (n, H d) into (H, n, d)."""
        return vectors.view(len(vectors), self.n_heads, -1).transpose(0, 1)


def can_read_in_tiles(hidden: Tensor, *mixing: nn.Module) -> bool:
    """Tell whether tiles are the way for these tokens, (B, L, D): on a CPU, without gradients, in single precision.

    Parameters
    ----------
    mixing
        The attention of each layer, which is taken apart: nobody may listen to what it gives.
    """
    plain = hidden.device.type == "cpu" and hidden.dtype == torch.float32
    heard = any(one._forward_hooks or one._forward_pre_hooks for one in mixing)
    return plain and not heard and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")


def layer_in_tiles(
    hidden: Tensor, parts: LayerParts, *, keys: Tensor | None = None, asked: Tensor | None = None
) -> Tensor:
    """Give the next hidden state of one cell, (L, D) or (R, D).

    Parameters
    ----------
    hidden
        (L, D) tokens of the cell.
    keys
        (L,) True = may be attended to; None = all may.
    asked
        (R,) tokens whose next state is wanted; None for all.
    """
    sums = _key_sums(hidden if keys is None else hidden[keys], parts)
    return _answers(hidden if asked is None else hidden[asked], sums, parts)


def _key_sums(hidden: Tensor, parts: LayerParts) -> Tensor:
    """Add up the features of keys, each times its value and 1, (H, m, d + 1)."""
    directions = parts.scaled_directions
    width, n_features = directions.shape
    sums = hidden.new_zeros(parts.n_heads, n_features, width + 1)
    values_alone = hidden.new_zeros(parts.n_heads, width + 1)
    largest = hidden.new_full((), -torch.inf)
    beside = hidden.new_empty(min(TILE, len(hidden)), width + 1)
    for start in range(0, len(hidden), TILE):
        tile = hidden[start : start + TILE]
        read = _normed(tile, parts.attention_norm)
        values = parts.heads(parts.value(read))  # (H, n, d)
        values_alone[:, :width] += values.sum(dim=1)
        values_alone[:, width] += len(tile)
        for head, (keys, own) in enumerate(zip(parts.heads(parts.key(read)), values, strict=True)):
            exponents = keys @ directions  # (n, m)
            top = exponents.amax(dim=1)
            if (most := top.max()) > largest:
                sums *= (largest - most).exp()
                largest = most
            features = exponents.softmax(dim=1)
            scale = (top - _half_square(keys) - largest).exp_() / features.amax(dim=1)  # (n,)
            weighted = beside[: len(tile)]
            torch.mul(own, scale[:, None], out=weighted[:, :width])
            weighted[:, width] = scale
            sums[head].addmm_(features.T, weighted)
    return sums + EPSILON * values_alone[:, None]


def _answers(hidden: Tensor, sums: Tensor, parts: LayerParts) -> Tensor:
    """Let tokens, (L, D), attend to the sums of the keys, (H, m, d + 1), and go through the feed-forward part."""
    directions, plain = parts.scaled_directions, EPSILON * sums.sum(dim=1)  # (H, d + 1)
    width = len(directions)
    after = torch.empty_like(hidden)
    mixed = hidden.new_empty(min(TILE, len(hidden)), parts.n_heads * width)
    for start in range(0, len(hidden), TILE):
        tile = hidden[start : start + TILE]
        own = mixed[: len(tile)]
        queries = parts.heads(parts.query(_normed(tile, parts.attention_norm)))
        for head, asked in enumerate(queries):
            features = (asked @ directions).softmax(dim=1)
            scale = _half_square(asked).neg_().exp_() / features.amax(dim=1)  # (n,)
            found = (features @ sums[head]).mul_(scale[:, None]).add_(plain[head])
            torch.div(found[:, :width], found[:, width:], out=own[:, head * width : (head + 1) * width])
        between = tile + parts.out(own)
        inner = functional.gelu(parts.widen(_normed(between, parts.feed_forward_norm)))
        torch.add(between, parts.narrow(inner), out=after[start : start + TILE])
    return after


def _half_square(vectors: Tensor) -> Tensor:
    """Give half the squared length of :math:`s u`, (n,)."""
    squares: Tensor = vectors.square().sum(dim=1)
    squares *= vectors.shape[1] ** -0.5 / 2
    return squares


def _normed(tile: Tensor, norm: nn.LayerNorm) -> Tensor:
    found: Tensor = norm(tile)
    return found
