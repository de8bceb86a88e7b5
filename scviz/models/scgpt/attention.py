"""What the tokens of a cell attend to in a layer: raw scores, and the weights that they become."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from scviz.models.scgpt.network import Layer, Network, attended


def raw_scores(
    network: Network, gene_ids: Tensor, *, values: Tensor, mask: Tensor, layer: int = -1
) -> Tensor:
    """Multiply queries and keys of a layer, (B, H, L, L): query, then key; neither scaled nor masked.

    Parameters
    ----------
    gene_ids, values, mask
        (B, L) tokens, their bins, True = real token.
    layer
        The last by default.
    """
    hidden, allowed = network.inputs(gene_ids, values, mask), attended(mask)
    layers = network.transformer_encoder.layers
    for earlier in layers[:layer]:
        hidden = earlier(hidden, allowed)
    query, key, _ = cast(Layer, layers[layer]).self_attn.heads(hidden)
    return query @ key.transpose(2, 3)  # (B, H, L, L)


def weights(scores: Tensor, mask: Tensor, width: int) -> Tensor:
    """Turn raw scores into the weights of attention, (B, H, L, L); each row sums to 1.

    Parameters
    ----------
    width
        Of the queries and keys of one head.
    """
    scores, allowed = scores / width**0.5, attended(mask)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    return scores.softmax(dim=-1)


def mean_weights(network: Network, gene_ids: Tensor, *, values: Tensor, mask: Tensor) -> Tensor:
    """Give the weights of the last layer, mean over heads, (B, L, L); rows and columns of padding are zero."""
    width = network.config.width // network.config.n_heads
    shares = weights(raw_scores(network, gene_ids, values=values, mask=mask), mask, width).mean(dim=1)
    return shares * (mask[:, :, None] & mask[:, None, :])
