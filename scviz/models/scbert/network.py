r"""The network: a Performer over all genes of a cell.

A token is the vector of its level plus the vector of its gene, :math:`h = e_t + p_g`. Each layer is
:math:`h + A(LN(h))`, then :math:`h + W_2\,gelu(W_1 LN(h))`; after the last comes one more LayerNorm. Attention
is linear in the number of tokens: queries and keys become m positive random features,

.. math:: f(u) = e^{P s u - s^2 |u|^2 / 2 - c} + \epsilon, \qquad s = d^{-1/4},

and :math:`out_n = f(q_n)^T \sum_j f(k_j) v_j^T / f(q_n)^T \sum_j f(k_j)`. For a query, c is the largest
exponent of that token; for keys, one number for all heads, tokens and features of a cell. Since :math:`\epsilon`
stands beside the exponential, c of the keys does not cancel, and the published package, which takes it head by
head, gives other numbers. From that package come the random features, the linear attention, the feed-forward
part and the chain of layers.

References
----------
Choromanski et al. (2021), arXiv:2009.14794, equations 5 and 10.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from scviz.foundation.encoding import Encoding
from scviz.foundation.linear_attention import (
    EPSILON,
    LayerParts,
    can_read_in_tiles,
    layer_in_tiles,
)
from scviz.foundation.model import Head, Pooling
from scviz.foundation.usual_tokens import Unlike, UsualTokens
from scviz.models.scbert.config import Config

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the package compares versions with distutils
    from performer_pytorch.performer_pytorch import (
        Chunk,
        FastAttention,
        FeedForward,
        PreLayerNorm,
        linear_attention,
    )
    from performer_pytorch.reversible import SequentialSequence


class Attention(nn.Module):
    """Self-attention by random features."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        inner = config.n_heads * config.attention_width
        self.n_heads, self.per_cell = config.n_heads, config.key_max == "cell"
        self.fast_attention = FastAttention(config.attention_width, config.n_features)  # draws and keeps P
        self.to_q = nn.Linear(config.width, inner, bias=False)
        self.to_k = nn.Linear(config.width, inner, bias=False)
        self.to_v = nn.Linear(config.width, inner, bias=False)
        self.to_out = nn.Linear(inner, config.width)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Mix tokens, (B, L, D); only tokens of the mask (B, L) are attended to."""
        with torch.autocast(
            hidden.device.type, enabled=False
        ):  # sums over thousands of keys need the precision
            queries, keys = self.features(hidden, mask)
            values = self._heads(self.to_v, hidden)  # (B, H, L, d)
            mixed = linear_attention(queries, keys, values)  # (B, H, L, d)
        return cast(Tensor, self.to_out(mixed.transpose(1, 2).flatten(2)))

    def features(self, hidden: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return f of queries and keys, each (B, H, L, m); keys outside the mask are 0.

        The factor :math:`m^{-1/2}` of the paper cancels in the quotient and is left out.
        """
        exponents, norms = self._exponents(self._heads(self.to_q, hidden))
        queries = (exponents - norms - exponents.amax(dim=-1, keepdim=True)).exp() + EPSILON
        exponents, norms = self._exponents(self._heads(self.to_k, hidden))
        seen = exponents if mask is None else exponents.masked_fill(~mask[:, None, :, None], -torch.inf)
        largest = seen.amax(dim=(1, 2, 3), keepdim=True) if self.per_cell else seen.amax()
        keys = (exponents - norms - largest).exp() + EPSILON
        return queries, keys if mask is None else keys * mask[:, None, :, None]

    def _heads(self, project: nn.Linear, hidden: Tensor) -> Tensor:
        """Project tokens and split them among heads, (B, H, L, d) in single precision."""
        return project(hidden.float()).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # type: ignore[no-any-return]

    def _exponents(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return P s u, (B, H, L, m), and half the squared length of s u, (B, H, L, 1)."""
        scaled = vectors * vectors.shape[-1] ** -0.25
        projected = scaled @ self.fast_attention.projection_matrix.T
        return projected, scaled.square().sum(dim=-1, keepdim=True) / 2


class Performer(nn.Module):
    """The layers, with new random features from time to time while they are trained."""

    calls_since_last_redraw: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.redraw_every, self.per_cell = config.redraw_every, config.key_max == "cell"
        self.register_buffer("calls_since_last_redraw", torch.tensor(0))
        layers = nn.ModuleList(_layer(config) for _ in range(config.n_layers))
        self.net = SequentialSequence(layers, args_route={"mask": ((True, False),) * config.n_layers})

    def forward(
        self, hidden: Tensor, mask: Tensor | None, unlike: Sequence[Unlike | None] | None = None
    ) -> Tensor:
        """Run all layers, (B, L, D).

        Parameters
        ----------
        unlike
            How each of the B cells differs from one that expresses nothing, where that is known.
        """
        if self.training:
            self._redraw_in_time()
        if self.can_read_in_tiles(hidden):
            apart = unlike or [None] * len(hidden)
            cells = (self.of_cell(cell, _row(mask, at), unlike=apart[at]) for at, cell in enumerate(hidden))
            return torch.stack(list(cells))
        return cast(Tensor, self.net(hidden, mask=mask))

    def can_read_in_tiles(self, hidden: Tensor) -> bool:
        """Tell whether cells, (B, L, D), can be read one by one, some tokens at a time."""
        mixing = [attention.fn for attention, _ in self.layers()]
        return can_read_in_tiles(hidden, *mixing) and (self.per_cell or len(hidden) == 1)

    def of_cell(
        self,
        hidden: Tensor,
        keys: Tensor | None,
        *,
        asked: Tensor | None = None,
        unlike: Unlike | None = None,
    ) -> Tensor:
        """Run all layers for one cell, (L, D) to (L, D), or to (R, D) for the tokens that are asked for, (R,).

        Parameters
        ----------
        keys
            (L,) tokens that may be attended to; None for all.
        """
        layers = [_parts(*layer) for layer in self.layers()]
        sums = unlike.sums(hidden, layers[0]) if unlike else None
        for number, parts in enumerate(layers):
            wanted = asked if number == len(layers) - 1 else None
            hidden = layer_in_tiles(hidden, parts, keys=keys, asked=wanted, sums=None if number else sums)
        return hidden

    def first_parts(self) -> LayerParts:
        """Take the first layer apart."""
        return _parts(*next(self.layers()))

    def layers(self) -> Iterator[tuple[Any, Any]]:
        """Yield the attention and the feed-forward part of each layer, from the first to the last."""
        yield from self.net.layers

    def _redraw_in_time(self) -> None:
        """Count a batch, or draw the features of every layer anew, frozen ones too, as the authors do."""
        if self.calls_since_last_redraw < self.redraw_every:
            self.calls_since_last_redraw += 1
            return
        for attention, _ in self.layers():
            attention.fn.fast_attention.redraw_projection_matrix(self.calls_since_last_redraw.device)
        self.calls_since_last_redraw.zero_()


def _layer(config: Config) -> nn.ModuleList:
    """Make attention and feed-forward part, each behind its LayerNorm."""
    feed_forward = Chunk(1, FeedForward(config.width, mult=config.ffn // config.width))
    return nn.ModuleList(PreLayerNorm(config.width, part) for part in (Attention(config), feed_forward))


def _parts(attention: Any, feed_forward: Any) -> LayerParts:
    """Take a layer apart."""
    mixing, inner = attention.fn, feed_forward.fn.fn
    return LayerParts(
        attention_norm=attention.norm,
        query=mixing.to_q,
        key=mixing.to_k,
        value=mixing.to_v,
        out=mixing.to_out,
        directions=mixing.fast_attention.projection_matrix,
        n_heads=mixing.n_heads,
        feed_forward_norm=feed_forward.norm,
        widen=inner.w1,
        narrow=inner.w2,
        shift_learns=True,
    )


def _row(mask: Tensor | None, at: int) -> Tensor | None:
    return None if mask is None else mask[at]


class GeneVectors(nn.Module):
    """One vector for each gene and a last one for the end; those of gene2vec are fixed, in double precision."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        given = config.gene_table == "gene2vec"
        kind = torch.float64 if given else torch.float32
        self.emb = nn.Embedding(config.length, config.width, dtype=kind)
        self.emb.weight.requires_grad_(not given)
        with torch.no_grad():
            self.emb.weight[-1] = 0


class Network(nn.Module):
    """The encoder with its head for hidden levels; tensors have the authors' names."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.token_emb = nn.Embedding(config.n_bins + 2, config.width)
        self.pos_emb = None if config.gene_table == "none" else GeneVectors(config)
        self.performer = Performer(config)
        self.norm = nn.LayerNorm(config.width)
        self.to_out = nn.Linear(config.width, config.n_bins + 2)
        self.usual = UsualTokens()

    def embedding(self, gene_ids: Tensor, bins: Tensor) -> Tensor:
        """Return what the first layer reads, (B, L, D): vectors of levels plus vectors of genes.

        The sum is rounded once, from the precision of the gene vectors.
        """
        levels: Tensor = self.token_emb(bins)
        if self.pos_emb is None:
            return levels
        genes: Tensor = self.pos_emb.emb(gene_ids)
        return (levels + genes).to(levels.dtype)

    def forward(self, gene_ids: Tensor, bins: Tensor, mask: Tensor) -> Tensor:
        """Encode tokens, (B, L, D).

        Parameters
        ----------
        gene_ids
            (B, L) places in the gene list.
        bins
            (B, L) levels, or the one that hides.
        mask
            (B, L) True = real token.
        """
        hidden = self.embedding(gene_ids, bins)
        mixed = self.performer(hidden, attended(mask), self._unlike(hidden, gene_ids, bins, mask=mask))
        return cast(Tensor, self.norm(mixed))

    def _unlike(
        self, hidden: Tensor, gene_ids: Tensor, bins: Tensor, *, mask: Tensor
    ) -> list[Unlike | None] | None:
        """Tell how each cell differs from one that expresses nothing; None where that is of no use.

        Parameters
        ----------
        hidden
            (B, L, D) what the first layer reads.
        gene_ids, bins, mask
            (B, L) as `forward` takes them.
        """
        changed = self.performer._forward_pre_hooks or not self.performer.can_read_in_tiles(hidden)
        if torch.is_grad_enabled() or changed or self.pos_emb is None:
            return None
        genes = torch.arange(self.pos_emb.emb.num_embeddings, device=gene_ids.device)
        first = next(self.performer.layers())[0]
        weights = [
            *self.token_emb.parameters(),
            *self.pos_emb.parameters(),
            *first.parameters(),
            *first.buffers(),
        ]

        def make() -> tuple[Tensor, LayerParts]:
            return self.embedding(genes, torch.zeros_like(genes)), self.performer.first_parts()

        usual = self.usual.of(weights, make)
        return [
            Unlike(usual=usual, others=levels.nonzero()[:, 0])
            if torch.equal(ids, genes) and seen.all()
            else None
            for ids, levels, seen in zip(gene_ids, bins, mask, strict=True)
        ]

    def means(self, gene_ids: Tensor, bins: Tensor, mask: Tensor, *, over: Tensor) -> Tensor:
        """Average the tokens of each cell over some of them, (B, D), without the others' last layer where that can be.

        Parameters
        ----------
        gene_ids, bins, mask
            (B, L) as `forward` takes them.
        over
            (B, L) tokens that count; NaN for cells without any.
        """
        hidden, keys = self.embedding(gene_ids, bins), attended(mask)
        if not self.performer.can_read_in_tiles(hidden):
            weights = over[..., None].float()  # (B, L, 1); sums in single precision, whatever the tokens are
            tokens: Tensor = self.norm(self.performer(hidden, keys))
            return (tokens * weights).sum(dim=1) / weights.sum(dim=1)
        apart = self._unlike(hidden, gene_ids, bins, mask=mask) or [None] * len(hidden)
        cells = (
            self.performer.of_cell(
                hidden[at], _row(keys, at), asked=over[at].nonzero()[:, 0], unlike=apart[at]
            )
            for at in range(len(hidden))
        )
        return torch.stack([self.norm(cell).mean(dim=0) for cell in cells])

    def attentions(
        self, gene_ids: Tensor, bins: Tensor, mask: Tensor, *, published: bool = False
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield two factors of each layer's attention, (B, H, L, m): weights are first @ second.T.

        Each row of the product sums to 1.

        Parameters
        ----------
        published
            Compute weights from tokens that have already been mixed with them, as the authors' code does.
        """
        hidden, keys_seen = self.embedding(gene_ids, bins), attended(mask)
        for attention, feed_forward in self.performer.layers():
            before, hidden = hidden, hidden + attention(hidden, mask=keys_seen)
            asked = attention.norm(hidden if published else before)
            with torch.autocast(hidden.device.type, enabled=False):
                queries, keys = attention.fn.features(asked, keys_seen)
                totals = queries @ keys.sum(dim=2)[..., None]  # (B, H, L, 1)
                yield queries / totals, keys
            hidden = hidden + feed_forward(hidden)


def attended(mask: Tensor) -> Tensor | None:
    """Return the tokens that may be attended to, (B, L); None where all may.

    A cell without tokens attends to its padding, so that it gives numbers, which nobody reads.
    """
    if bool(mask.all()):
        return None
    return mask | ~mask.any(dim=1, keepdim=True)


class TypeHead(Head):
    """Three linear layers with ReLU between them.

    Parameters
    ----------
    pooling
        "published" reads every token: one dot product with the same vector for each, then ReLU, gives (B, L),
        so that cells must have all tokens; "mean" reads the summary of the cell.
    """

    def __init__(self, config: Config, n_types: int, *, pooling: Pooling) -> None:
        super().__init__()
        first, second = config.head_widths
        self.pooling = pooling
        self.length = config.length
        if pooling == "published":
            self.conv1 = nn.Conv2d(1, 1, (1, config.width))
        self.fc1 = nn.Linear(config.length if pooling == "published" else config.width, first)
        self.fc2 = nn.Linear(first, second)
        self.fc3 = nn.Linear(second, n_types)

    def select(self, encoding: Encoding) -> Tensor:
        """Take all tokens, (B, L, D), or the summary of each cell, (B, D)."""
        return encoding.tokens if self.pooling == "published" else encoding.cells

    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K).

        Raises
        ------
        ValueError
            If cells have another number of tokens than the published head reads.
        """
        if self.pooling == "published":
            if selected.shape[1] != self.length:
                raise ValueError(
                    f"The classifier reads {self.length} tokens of a cell, not {selected.shape[1]}."
                )
            selected = self.conv1(selected[:, None]).relu().flatten(1)  # (B, L)
        return cast(Tensor, self.fc3(self.fc2(self.fc1(selected).relu()).relu()))
