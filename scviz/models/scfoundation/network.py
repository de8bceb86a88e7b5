r"""The network: an encoder of expressed genes, and a linear-attention decoder of all genes.

A value :math:`v` becomes a mixture of learned bins,
:math:`e(v) = softmax(\alpha h + W_2 h + b_2)\,E` with :math:`h = LeakyReLU(W_1 v + b_1)`. The encoder reads
:math:`e(v_i) + p_i` of what is expressed, T and S among it. The decoder reads every gene, as what the encoder gave
or as :math:`e(v_i)`, plus :math:`p_i` again, and restores the expression of each gene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from scviz.foundation.linear_attention import (
    EPSILON,
    LayerParts,
    can_read_in_tiles,
    layer_in_tiles,
)
from scviz.foundation.tokens import Tokens
from scviz.foundation.usual_tokens import Unlike, UsualTokens
from scviz.models.scfoundation.config import MASK, PAD, Config


class ValueEmbedding(nn.Module):
    """A number as a mixture of learned bins."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.alpha = config.bin_alpha
        self.hidden = nn.Linear(1, config.n_bins)
        self.mix = nn.Linear(config.n_bins, config.n_bins)
        self.bins = nn.Embedding(config.n_bins, config.width)
        self.mask = nn.Embedding(1, config.width)
        self.pad = nn.Embedding(1, config.width)

    def bin_weights(self, values: Tensor) -> Tensor:
        """Share values among the bins, (..., K); each row sums to 1."""
        hidden = functional.leaky_relu(self.hidden(values[..., None]), 0.1)
        return (self.alpha * hidden + self.mix(hidden)).softmax(dim=-1)  # type: ignore[no-any-return]

    def forward(self, values: Tensor) -> Tensor:
        """Embed values, (...) to (..., D); MASK and PAD have vectors of their own, 0 is a value like others."""
        vectors = self.bin_weights(values) @ self.bins.weight
        vectors = torch.where((values == MASK)[..., None], self.mask.weight[0], vectors)
        return torch.where((values == PAD)[..., None], self.pad.weight[0], vectors)


class EncoderLayer(nn.Module):
    """Self-attention and a ReLU feed-forward part, both followed by addition and LayerNorm."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.widen = nn.Linear(config.width, 4 * config.width)
        self.narrow = nn.Linear(4 * config.width, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, keys: Tensor | None) -> Tensor:
        """Give the next hidden state, (B, L, D).

        Parameters
        ----------
        keys
            (B, 1, 1, L) True = may be attended to; None = all may.
        """
        query, key, value = self._heads(hidden)
        chance = self.dropout.p if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, keys, dropout_p=chance)
        hidden = self.norm1(hidden + self.dropout(self.out(mixed.transpose(1, 2).flatten(2))))
        inner = self.dropout(functional.relu(self.widen(hidden)))
        return self.norm2(hidden + self.dropout(self.narrow(inner)))  # type: ignore[no-any-return]

    def attention(self, hidden: Tensor, keys: Tensor | None) -> Tensor:
        """Return the weights of the attention, (B, H, L, L): query, then key; each row sums to 1."""
        query, key, _ = self._heads(hidden)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        if keys is not None:
            scores = scores.masked_fill(~keys, -torch.inf)
        return scores.softmax(dim=-1)

    def _heads(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give queries, keys and values, each (B, H, L, D/H)."""
        query, key, value = self.qkv(hidden).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value


class LinearAttention(nn.Module):
    r"""Attention whose cost grows with the number of genes and not with its square.

    Features :math:`\phi(t) = \exp(P c t - \|c t\|^2/2 - max) + \epsilon`, :math:`c = d^{-1/4}`, take the place
    of the softmax: what comes out is :math:`\phi(q)(\phi(k)^T V)` over :math:`\phi(q)\sum\phi(k)`.
    """

    projection: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.n_heads, width = config.n_decoder_heads, config.n_decoder_heads * config.head_width
        self.query = nn.Linear(config.decoder_width, width)
        self.key = nn.Linear(config.decoder_width, width)
        self.value = nn.Linear(config.decoder_width, width)
        self.out = nn.Linear(width, config.decoder_width)
        n_features = int(config.head_width * math.log(config.head_width))
        self.register_buffer("projection", random_directions(n_features, config.head_width))

    def forward(self, hidden: Tensor, *, across_cells: bool = False) -> Tensor:
        """Mix the genes of each cell, (B, N, E).

        Parameters
        ----------
        across_cells
            Subtract one maximum for all cells of the batch from the keys, as the authors' code does, instead
            of one for each cell. Results then depend a little on which cells share a batch.
        """
        parts = (self.query(hidden), self.key(hidden), self.value(hidden))
        query, key, value = (part.unflatten(2, (self.n_heads, -1)).transpose(1, 2).float() for part in parts)
        with torch.autocast(hidden.device.type, enabled=False):  # sums over all genes need single precision
            query = self._features(query, over=(3,))  # (B, H, N, F)
            key = self._features(key, over=(0, 1, 2, 3) if across_cells else (1, 2, 3))
            mixed = query @ (key.transpose(2, 3) @ value)  # (B, H, N, E/H)
            mixed = mixed / (query @ key.sum(dim=2)[..., None])
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _features(self, vectors: Tensor, *, over: tuple[int, ...]) -> Tensor:
        """Turn (B, H, N, E/H) into features, (B, H, N, F), none larger than about 1."""
        vectors = vectors * vectors.shape[-1] ** -0.25
        logits = vectors @ self.projection.float().T
        top = logits.detach().amax(dim=over, keepdim=True)
        norms = vectors.square().sum(dim=-1, keepdim=True) / 2
        return (logits - norms - top).exp() + EPSILON


class DecoderBlock(nn.Module):
    """Linear attention and a GELU feed-forward part, both of what LayerNorm gives and both added."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.decoder_width)
        self.attention = LinearAttention(config)
        self.norm2 = nn.LayerNorm(config.decoder_width)
        self.widen = nn.Linear(config.decoder_width, 4 * config.decoder_width)
        self.narrow = nn.Linear(4 * config.decoder_width, config.decoder_width)

    def forward(
        self, hidden: Tensor, *, across_cells: bool = False, unlike: Sequence[Unlike] | None = None
    ) -> Tensor:
        """Give the next hidden state, (B, N, E).

        Parameters
        ----------
        unlike
            How each of the B cells differs from one that expresses nothing, where that is known.
        """
        if self.can_read_in_tiles(hidden, across_cells=across_cells):
            parts = self.parts()
            sums = (
                [one.sums(cell, parts) for one, cell in zip(unlike, hidden, strict=True)] if unlike else None
            )
            cells = (
                layer_in_tiles(cell, parts, sums=sums[at] if sums else None) for at, cell in enumerate(hidden)
            )
            return torch.stack(list(cells))
        hidden = hidden + self.attention(self.norm1(hidden), across_cells=across_cells)
        return hidden + self.narrow(functional.gelu(self.widen(self.norm2(hidden))))  # type: ignore[no-any-return]

    def can_read_in_tiles(self, hidden: Tensor, *, across_cells: bool) -> bool:
        """Tell whether cells, (B, N, E), can be read one by one, some genes at a time."""
        return can_read_in_tiles(hidden, self.attention) and (len(hidden) == 1 or not across_cells)

    def parts(self) -> LayerParts:
        """Take the block apart."""
        return LayerParts(
            attention_norm=self.norm1,
            query=self.attention.query,
            key=self.attention.key,
            value=self.attention.value,
            out=self.attention.out,
            directions=self.attention.projection,
            n_heads=self.attention.n_heads,
            feed_forward_norm=self.norm2,
            widen=self.widen,
            narrow=self.narrow,
        )


class Network(nn.Module):
    """Encoder and decoder."""

    n_calls: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.value_embedding = ValueEmbedding(config)
        self.position_embedding = nn.Embedding(config.n_positions, config.width)
        self.encoder_layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.n_layers))
        self.encoder_norm = nn.LayerNorm(config.width)
        self.to_decoder = nn.Linear(config.width, config.decoder_width)
        self.decoder_blocks = nn.ModuleList(DecoderBlock(config) for _ in range(config.n_decoder_layers))
        self.decoder_norm = nn.LayerNorm(config.decoder_width)
        self.norm = nn.LayerNorm(config.decoder_width)
        self.to_expression = nn.Linear(config.decoder_width, 1)
        # in the authors' file; it counts towards drawing new projections, which we never do
        self.register_buffer("n_calls", torch.tensor(0))
        self.usual = UsualTokens()

    def encode(self, values: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Give a vector for each token, (B, L, D), with what is computed at padding.

        Parameters
        ----------
        values
            (B, L) log1p expression, T and S; PAD where there is no token.
        positions
            (B, L) rows of the position embedding.
        mask
            (B, L) True = real token.
        """
        hidden = self.value_embedding(values) + self.position_embedding(positions)
        keys = attended(mask)
        for layer in self.encoder_layers:
            hidden = layer(hidden, keys)
        return self.encoder_norm(hidden)  # type: ignore[no-any-return]

    def attention(self, values: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Return the weights of the last layer of the encoder, (B, H, L, L): query, then key."""
        hidden = self.value_embedding(values) + self.position_embedding(positions)
        keys = attended(mask)
        *before, last = self.encoder_layers
        for layer in before:
            hidden = layer(hidden, keys)
        return cast(EncoderLayer, last).attention(hidden, keys)

    def decode(
        self, rows: Tensor, encoded: Tensor, *, positions: Tensor, mask: Tensor, across_cells: bool = False
    ) -> Tensor:
        """Give a vector for each gene, then for T and S, (B, G+2, E).

        Parameters
        ----------
        rows
            (B, G+2) values of all genes, T and S, zeros among them; MASK where a gene is hidden.
        encoded, positions, mask
            What `encode` gave, and what it read.
        across_cells
            As in LinearAttention.
        """
        first = cast(DecoderBlock, self.decoder_blocks[0])
        if not torch.is_grad_enabled() and first.can_read_in_tiles(encoded, across_cells=across_cells):
            unlike = self._unlike(rows, positions, mask)
            hidden = self._few_read(rows, encoded, positions=positions, mask=mask, unlike=unlike)
            hidden = first(hidden, across_cells=across_cells, unlike=unlike)
        else:
            hidden = self.value_embedding(rows).float()  # (B, G+2, D)
            cells = torch.nonzero(mask)[:, 0]
            hidden = hidden.index_put((cells, positions[mask]), encoded[mask].float())
            # what is expressed gets its position for a second time
            hidden = self.to_decoder(hidden + self.position_embedding.weight[: rows.shape[1]])
            hidden = first(hidden, across_cells=across_cells)
        for block in self.decoder_blocks[1:]:
            hidden = block(hidden, across_cells=across_cells)
        return self.norm(self.decoder_norm(hidden))  # type: ignore[no-any-return]

    def _unlike(self, rows: Tensor, positions: Tensor, mask: Tensor) -> list[Unlike]:
        """Tell how each cell differs from one that expresses nothing.

        Parameters
        ----------
        rows
            (B, G+2) values as `decode` takes them.
        positions, mask
            (B, L) what `encode` read.
        """
        length, first = rows.shape[1], cast(DecoderBlock, self.decoder_blocks[0])
        read = (self.value_embedding, self.position_embedding, self.to_decoder, first)
        weights = [weight for part in read for weight in (*part.parameters(), *part.buffers())]

        def make() -> tuple[Tensor, LayerParts]:
            nothing = self.value_embedding(rows.new_zeros(1)).float()  # (1, D)
            return self.to_decoder(nothing + self.position_embedding.weight[:length]), first.parts()

        usual = self.usual.of(weights, make)
        read_of = mask.new_zeros(len(rows), self.config.n_positions).scatter(1, positions, mask)[:, :-1]
        return [Unlike(usual=usual, others=cell.nonzero()[:, 0]) for cell in (rows != 0) | read_of]

    def _few_read(
        self, rows: Tensor, encoded: Tensor, *, positions: Tensor, mask: Tensor, unlike: Sequence[Unlike]
    ) -> Tensor:
        """Give what the decoder reads, (B, G+2, E), computing no more than differs from a cell without expression."""
        cells = []
        for at, apart in enumerate(unlike):
            own = self.value_embedding(rows[at, apart.others]).float()  # (E, D)
            own[torch.searchsorted(apart.others, positions[at, mask[at]])] = encoded[at, mask[at]].float()
            own = self.to_decoder(own + self.position_embedding.weight[apart.others])
            cells.append(apart.usual.hidden.index_copy(0, apart.others, own))
        return torch.stack(cells)

    def decode_cells(
        self, values: Tensor, positions: Tensor, mask: Tensor, *, across_cells: bool = False
    ) -> Tensor:
        """Encode cells and give a vector for each gene, expressed or not, then for T and S, (B, G+2, E)."""
        rows = values.new_zeros(len(values), self.config.n_positions)
        rows = rows.scatter(1, positions, values)[:, :-1]  # padding falls into the last column
        encoded = self.encode(values, positions, mask)
        return self.decode(rows, encoded, positions=positions, mask=mask, across_cells=across_cells)

    def expression(self, decoded: Tensor) -> Tensor:
        """Predict log1p expression, (B, G+2), from what `decode` gives; may be below 0."""
        return self.to_expression(decoded)[..., 0]  # type: ignore[no-any-return]

    def freeze_for_annotation(self) -> None:
        """Leave only the second to last layer of the encoder trainable, as the authors do."""
        self.requires_grad_(False)
        self.encoder_layers[-2].requires_grad_(True)


def tensors_of(tokens: Tokens, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Put values, positions and mask, all (B, L), on a device.

    Raises
    ------
    ValueError
        If the tokens have no values.
    """
    if tokens.values is None:
        raise ValueError("scFoundation reads values, and these tokens have none.")
    values, positions, mask = (
        torch.as_tensor(part, device=device) for part in (tokens.values, tokens.gene_ids, tokens.mask)
    )
    return values, positions, mask


def attended(mask: Tensor) -> Tensor | None:
    """Turn the mask of real tokens into keys that may be attended to, (B, 1, 1, L); None where all may.

    A cell without tokens attends to its padding, so that it gives numbers, which nobody reads.
    """
    if bool(mask.all()):
        return None
    return (mask | ~mask.any(dim=1, keepdim=True))[:, None, None, :]


def random_directions(n: int, width: int) -> Tensor:
    """Draw n rows that are orthogonal in blocks and as long as normal vectors, (n, width)."""
    blocks = [torch.linalg.qr(torch.randn(width, width))[0].T for _ in range(-(-n // width))]
    lengths: Tensor = torch.randn(n, width).norm(dim=1, keepdim=True)
    return torch.cat(blocks)[:n] * lengths
