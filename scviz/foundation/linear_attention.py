r"""A layer of linear attention and its feed-forward part, some tokens at a time, so that no tensor holds all features.

Each head turns queries and keys into m features, :math:`f(u) = e^{P s u - s^2 |u|^2 / 2 - c} + \epsilon` with
:math:`s = d^{-1/4}`; c is the largest exponent of a query, or that of all keys of a cell. What comes out is
:math:`f(q)^T C / f(q)^T z` with :math:`[C, z] = \sum_j f(k_j) [v_j, 1]^T`. Keys go by first, in tiles: the sums are
rescaled whenever a larger exponent is met, which ends exactly at that of all keys, and :math:`\epsilon` is added to the
sums and not to every feature. Then queries go by, and each tile runs to the end of the layer while it is in cache.

An exponential less the largest of a row is what softmax gives over its largest entry, and softmax is the faster one.
Where gradients are wanted, tiles keep nothing but what they were made of, and are computed again on the way back.

References
----------
Choromanski et al. (2021), arXiv:2009.14794, equations 5 and 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

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
    shift_learns: bool = False
    """Whether gradients go through the largest exponents, too; without epsilon they would cancel."""

    @property
    def learns(self) -> bool:
        """Whether a weight of the layer is trained."""
        modules = (self.attention_norm, self.query, self.key, self.value, self.out)
        inner = (self.feed_forward_norm, self.widen, self.narrow)
        return any(weights.requires_grad for part in (*modules, *inner) for weights in part.parameters())

    @property
    def scaled_directions(self) -> Tensor:
        """(d, m) directions with the factor :math:`s` of a query or key."""
        directions = self.directions.float()
        found: Tensor = (directions * directions.shape[1] ** -0.25).T.contiguous()
        return found

    def heads(self, vectors: Tensor) -> Tensor:
        """Split (n, H d) into (H, n, d)."""
        return vectors.view(len(vectors), self.n_heads, -1).transpose(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySums:
    """Features of keys, each times its value and 1, added up."""

    sums: Tensor
    """(H, m, d + 1) without epsilon, less the largest exponent."""
    values: Tensor
    """(H, d + 1) what epsilon stands beside."""
    largest: Tensor
    """() the largest exponent."""
    highest: Tensor
    """(n,) the largest exponent of each token."""

    def finished(self) -> Tensor:
        """Add epsilon to every feature, (H, m, d + 1)."""
        return self.sums + EPSILON * self.values[:, None]


def can_read_in_tiles(hidden: Tensor, *mixing: nn.Module) -> bool:
    """Tell whether tiles are the way for these tokens, (B, L, D): on a CPU, in single precision.

    Parameters
    ----------
    mixing
        The attention of each layer, which is taken apart: nobody may listen to what it gives.
    """
    plain = hidden.device.type == "cpu" and hidden.dtype == torch.float32
    heard = any(one._forward_hooks or one._forward_pre_hooks for one in mixing)
    return plain and not heard and not torch.is_autocast_enabled("cpu")


def layer_in_tiles(
    hidden: Tensor,
    parts: LayerParts,
    *,
    keys: Tensor | None = None,
    asked: Tensor | None = None,
    sums: Tensor | None = None,
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
    sums
        (H, m, d + 1) of the keys, where they are known.
    """
    sources = hidden if keys is None else hidden[keys]
    readers = hidden if asked is None else hidden[asked]
    if torch.is_grad_enabled() and (hidden.requires_grad or parts.learns):
        return _learned_answers(readers, _learned_sums(sources, parts), parts)
    return _answers(readers, key_sums(sources, parts).finished() if sums is None else sums, parts)


def key_sums(hidden: Tensor, parts: LayerParts) -> KeySums:
    """Add up the features of keys, (n, D), tile by tile, without gradients."""
    directions = parts.scaled_directions
    width, n_features = directions.shape
    sums = hidden.new_zeros(parts.n_heads, n_features, width + 1)
    values_alone = hidden.new_zeros(parts.n_heads, width + 1)
    largest, highest = hidden.new_full((), -torch.inf), hidden.new_full((len(hidden),), -torch.inf)
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
            own_highest = highest[start : start + TILE]
            torch.maximum(own_highest, top, out=own_highest)
            if (most := top.max()) > largest:
                sums *= (largest - most).exp()
                largest = most
            features = exponents.softmax(dim=1)
            scale = (top - _half_square(keys) - largest).exp_() / features.amax(dim=1)  # (n,)
            weighted = beside[: len(tile)]
            torch.mul(own, scale[:, None], out=weighted[:, :width])
            weighted[:, width] = scale
            sums[head].addmm_(features.T, weighted)
    return KeySums(sums=sums, values=values_alone, largest=largest, highest=highest)


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


def _learned_sums(hidden: Tensor, parts: LayerParts) -> Tensor:
    """Add up the features of keys as `_key_sums` does, with gradients."""

    def of_tile(tile: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        read = _normed(tile, parts.attention_norm)
        keys, values = parts.heads(parts.key(read)), parts.heads(parts.value(read))  # (H, n, d) each
        exponents = keys @ parts.scaled_directions  # (H, n, m)
        top = exponents.max()
        features = (exponents - _half_squares(keys) - top.detach()).exp()
        beside = functional.pad(values, (0, 1), value=1.0)  # (H, n, d + 1)
        return features.transpose(1, 2) @ beside, beside.sum(dim=1), top

    tiles = [_again(of_tile, tile) for tile in torch.split(hidden, TILE)]
    largest = torch.stack([top for *_, top in tiles]).max()
    shift = largest if parts.shift_learns else largest.detach()
    sums = sum((sums * (top.detach() - shift).exp() for sums, _, top in tiles), start=hidden.new_zeros(()))
    alone = sum((values for _, values, _ in tiles), start=hidden.new_zeros(()))
    return sums + EPSILON * alone[:, None]


def _learned_answers(hidden: Tensor, sums: Tensor, parts: LayerParts) -> Tensor:
    """Let tokens attend and go through the feed-forward part as `_answers` does, with gradients."""

    def of_tile(tile: Tensor, sums: Tensor) -> Tensor:
        queries = parts.heads(parts.query(_normed(tile, parts.attention_norm)))  # (H, n, d)
        exponents = queries @ parts.scaled_directions  # (H, n, m)
        top = exponents.amax(dim=2, keepdim=True)
        features = (exponents - _half_squares(queries) - (top if parts.shift_learns else top.detach())).exp()
        found = (features + EPSILON) @ sums  # (H, n, d + 1)
        mixed = found[..., :-1] / found[..., -1:]
        between: Tensor = tile + parts.out(mixed.transpose(0, 1).flatten(1))
        inner = functional.gelu(parts.widen(_normed(between, parts.feed_forward_norm)))
        after: Tensor = between + parts.narrow(inner)
        return after

    return torch.cat([_again(of_tile, tile, sums) for tile in torch.split(hidden, TILE)])


def _again(work: Callable[..., Any], *given: Tensor) -> Any:
    """Do a piece of work, and once more on the way back instead of keeping what it made."""
    return checkpoint(work, *given, use_reentrant=False, preserve_rng_state=False)


def _half_squares(vectors: Tensor) -> Tensor:
    """Give half the squared lengths of :math:`s u`, (H, n, 1), with gradients."""
    halves: Tensor = vectors.square().sum(dim=2, keepdim=True) * (vectors.shape[2] ** -0.5 / 2)
    return halves


def _half_square(vectors: Tensor) -> Tensor:
    """Give half the squared length of :math:`s u`, (n,)."""
    squares: Tensor = vectors.square().sum(dim=1)
    squares *= vectors.shape[1] ** -0.5 / 2
    return squares


def _normed(tile: Tensor, norm: nn.LayerNorm) -> Tensor:
    found: Tensor = norm(tile)
    return found
