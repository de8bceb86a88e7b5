r"""The network: a transformer over a set of genes, without order.

With gene embedding :math:`g_i = LN(E_{id_i})` and value embedding :math:`v_i = LN(W_2 relu(W_1 x_i))`, a token is
:math:`g_i + v_i`; each layer is self-attention and a ReLU feed-forward part, both followed by addition and
LayerNorm. Names of weights are those of the released files.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, scaled_dot_product_attention

from scviz.foundation.encoding import Encoding
from scviz.foundation.model import Head, Pooling
from scviz.models.scgpt.config import Config

HIGHEST_VALUE = 512
"""Values above are read as this one."""
NORM_EPS = 6.1e-5
"""Of the batch normalization of inputs: the smallest normal number of half precision."""


class GeneEncoder(nn.Module):
    """Embedding, LayerNorm; also of domains."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, width)
        self.enc_norm = nn.LayerNorm(width)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, ids: Tensor) -> Tensor:
        """Look tokens up, (B, L) to (B, L, D)."""
        return cast(Tensor, self.enc_norm(self.embedding(ids)))


class ValueEncoder(nn.Module):
    """Linear, ReLU, linear, LayerNorm of one number; hidden and padded values pass through as numbers."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(1, width)
        self.linear2 = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor) -> Tensor:
        """Encode bins or expression, (B, L) to (B, L, D)."""
        hidden = self.linear1(values[..., None].clamp(max=HIGHEST_VALUE)).relu()
        return cast(Tensor, self.dropout(self.norm(self.linear2(hidden))))


class Attention(nn.Module):
    """Self-attention with query, key and value in one matrix."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.Wqkv = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)
        self.n_heads, self.dropout = n_heads, dropout

    def heads(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Split into query, key and value of each head, (B, H, L, D/H) each."""
        batch, length, _ = hidden.shape
        qkv = self.Wqkv(hidden).view(batch, length, 3, self.n_heads, -1)  # (B, L, 3, H, D/H)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        return query, key, value

    def forward(self, hidden: Tensor, allowed: Tensor | None, n: int | None = None) -> Tensor:
        """Mix the values of tokens, (B, n, D), for the first n of them; `out_proj` is left to the caller.

        Parameters
        ----------
        allowed
            (B, 1, L or 1, L) which keys each query may attend to; None = all.
        """
        query, key, value = self.heads(hidden)
        mixed = scaled_dot_product_attention(
            query[:, :, :n],
            key,
            value,
            attn_mask=allowed,
            dropout_p=self.dropout if self.training else 0.0,
        )  # (B, H, n, D/H)
        return mixed.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """Attention and feed-forward part, each added to its input and then normalized."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self_attn = Attention(config.width, config.n_heads, config.attention_dropout)
        self.linear1 = nn.Linear(config.width, config.ffn)
        self.linear2 = nn.Linear(config.ffn, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, allowed: Tensor | None, n: int | None = None) -> Tensor:
        """Give the next state of the first n tokens, (B, n, D); None = of all."""
        mixed = self.self_attn(hidden, allowed, n)
        return self._add(hidden[:, :n], self.self_attn.out_proj(mixed))

    def generate(self, hidden: Tensor, allowed: Tensor, n_known: int) -> Tensor:
        """Give the next state of known and generated tokens, (B, L, D).

        What generated tokens attend to is not projected: the authors' pre-training leaves this out.
        """
        mixed = self.self_attn(hidden, allowed)
        known = self.self_attn.out_proj(mixed[:, :n_known])
        return self._add(hidden, torch.cat([known, mixed[:, n_known:].to(known.dtype)], dim=1))

    def _add(self, hidden: Tensor, mixed: Tensor) -> Tensor:
        hidden = self.norm1(hidden + self.dropout(mixed))
        inner = self.linear2(self.dropout(self.linear1(hidden).relu()))
        return cast(Tensor, self.norm2(hidden + self.dropout(inner)))


class Stack(nn.Module):
    """The layers, one after the other."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.n_layers))

    def forward(self, hidden: Tensor, mask: Tensor, *, cls_only: bool = False) -> Tensor:
        """Give the last state of all tokens, (B, L, D), or of the first alone, (B, 1, D)."""
        allowed = attended(mask)
        for layer in self.layers[:-1]:
            hidden = layer(hidden, allowed)
        return cast(Tensor, self.layers[-1](hidden, allowed, 1 if cls_only else None))


def attended(mask: Tensor) -> Tensor | None:
    """Turn the mask of real tokens into keys that may be attended to, (B, 1, 1, L); None where all may.

    A cell without tokens attends to its padding, so that it gives numbers, which nobody reads.
    """
    if bool(mask.all()):
        return None
    return (mask | ~mask.any(dim=1, keepdim=True))[:, None, None, :]


def attended_in_generation(known: Tensor, n_generated: int) -> Tensor:
    """Let all attend to known tokens, and generated ones also to themselves, (B, 1, L, L) for L = P + G.

    Parameters
    ----------
    known
        (B, P) True = real known token.
    """
    batch, n_known = known.shape
    keys = known[:, None, :].expand(batch, n_known + n_generated, n_known)  # (B, L, P)
    own = torch.zeros(n_known + n_generated, n_generated, dtype=torch.bool, device=known.device)
    own[n_known:] = torch.eye(n_generated, dtype=torch.bool, device=known.device)
    return torch.cat([keys, own.expand(batch, -1, -1)], dim=2)[:, None]


class ValueDecoder(nn.Module):
    """Names the expression of each token from its vector."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.fc = three_layers(config.width_decoded, config.width)
        if config.zero_probability:
            self.zero_logit = three_layers(config.width_decoded, config.width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Give values, (B, L, D) to (B, L)."""
        return cast(Tensor, self.fc(hidden)[..., 0])

    def expressed(self, hidden: Tensor) -> Tensor:
        """Give the probability that a gene is expressed, (B, L)."""
        return cast(Tensor, self.zero_logit(hidden)[..., 0].sigmoid())

    def sampled(self, hidden: Tensor, generator: torch.Generator) -> Tensor:
        """Give values, (B, L), where chance decides by `expressed` which genes are 0."""
        drawn = torch.bernoulli(self.expressed(hidden), generator=generator)
        return cast(Tensor, self(hidden) * drawn)


def three_layers(width_in: int, width: int) -> nn.Sequential:
    """Make three linear layers with LeakyReLU between them, which give one number."""
    return nn.Sequential(
        nn.Linear(width_in, width),
        nn.LeakyReLU(),
        nn.Linear(width, width),
        nn.LeakyReLU(),
        nn.Linear(width, 1),
    )


class CellDecoder(nn.Module):
    """Names the expression of genes from the vector of the cell: masked value prediction for cells (MVC)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gene2query = nn.Linear(config.width, config.width)
        self.W = nn.Linear(config.width, config.width_decoded, bias=False)
        if config.zero_probability:
            self.W_zero_logit = nn.Linear(config.width, config.width_decoded)

    def forward(self, genes: Tensor, cells: Tensor) -> Tensor:
        """Give values, (B, L), from gene embeddings (B, L, D) and cells (B, D)."""
        return self._product(self.W(self.gene2query(genes).sigmoid()), cells)

    def expressed(self, genes: Tensor, cells: Tensor) -> Tensor:
        """Give the probability that a gene is expressed, (B, L)."""
        return self._product(self.W_zero_logit(self.gene2query(genes).sigmoid()), cells).sigmoid()

    def sampled(self, genes: Tensor, cells: Tensor, generator: torch.Generator) -> Tensor:
        """Give values, (B, L), where chance decides by `expressed` which genes are 0."""
        drawn = torch.bernoulli(self.expressed(genes, cells), generator=generator)
        return cast(Tensor, self(genes, cells) * drawn)

    @staticmethod
    def _product(queries: Tensor, cells: Tensor) -> Tensor:
        return (queries @ cells[..., None].to(queries.dtype))[..., 0]


class ClassDecoder(nn.Module):
    """Linear, activation, LayerNorm, some times; then linear: names the class of a cell."""

    def __init__(self, width: int, n_classes: int, *, n_layers: int, activation: type[nn.Module]) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for _ in range(n_layers - 1):
            parts += [nn.Linear(width, width), activation(), nn.LayerNorm(width)]
        self._decoder = nn.Sequential(*parts)
        self.out_layer = nn.Linear(width, n_classes)

    def forward(self, cells: Tensor) -> Tensor:
        """Score classes, (B, D) to (B, K)."""
        return cast(Tensor, self.out_layer(self._decoder(cells)))


def normalized(norm: nn.Module, hidden: Tensor, mask: Tensor) -> Tensor:
    """Normalize the tokens of a mask, and leave the others as they are, (B, L, D)."""
    out = hidden.clone()
    out[mask] = norm(hidden[mask]).to(out.dtype)
    return out


class DomainNorm(nn.Module):
    """One batch normalization for each domain of cells."""

    def __init__(self, width: int, n_domains: int) -> None:
        super().__init__()
        self.bns = nn.ModuleList(nn.BatchNorm1d(width, eps=NORM_EPS, affine=False) for _ in range(n_domains))

    def forward(self, hidden: Tensor, mask: Tensor, domains: Tensor | None) -> Tensor:
        """Normalize each cell by its own domain, (B, L, D).

        Cells of no known domain are normalized by the mean and variance of all domains taken together.
        """
        if domains is None:
            return self._by_all(hidden)
        for domain in set(domains.tolist()):
            hidden = normalized(self.bns[domain], hidden, mask & (domains == domain)[:, None])
        return hidden

    def _by_all(self, hidden: Tensor) -> Tensor:
        norms = [cast(nn.BatchNorm1d, norm) for norm in self.bns]
        means = torch.stack([cast(Tensor, norm.running_mean) for norm in norms])  # (domains, D)
        variances = torch.stack([cast(Tensor, norm.running_var) for norm in norms])
        variance = variances.mean(dim=0) + means.var(dim=0, correction=0)
        return (hidden - means.mean(dim=0)) / (variance + NORM_EPS).sqrt()


class Network(nn.Module):
    """The encoder with its decoders of expression."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = GeneEncoder(config.n_tokens, config.width)
        self.flag_encoder = nn.Embedding(2, config.width)
        self.value_encoder = ValueEncoder(config.width, config.dropout)
        self.transformer_encoder = Stack(config)
        self.decoder = ValueDecoder(config)
        self.mvc_decoder = CellDecoder(config)
        if config.input_norm == "all":
            self.bn = nn.BatchNorm1d(config.width, eps=NORM_EPS)
        if config.input_norm == "domain":
            self.dsbn = DomainNorm(config.width, config.n_domains)
        if config.domain_labels:
            self.batch_encoder = GeneEncoder(config.n_domains, config.width)
        if config.domain_head:
            self.grad_reverse_discriminator = ClassDecoder(
                config.width, config.n_domains, n_layers=3, activation=nn.LeakyReLU
            )

    def inputs(
        self, gene_ids: Tensor, values: Tensor, mask: Tensor, *, domains: Tensor | None = None
    ) -> Tensor:
        """Give what the first layer reads, (B, L, D).

        Parameters
        ----------
        gene_ids, values
            (B, L) tokens and their bins.
        mask
            (B, L) True = real token.
        domains
            (B,) which batch each cell is of, for networks that tell them apart.
        """
        hidden = self.encoder(gene_ids) + self.value_encoder(values)
        if self.config.input_norm == "domain":
            return cast(Tensor, self.dsbn(hidden, mask, domains))
        return normalized(self.bn, hidden, mask) if self.config.input_norm == "all" else hidden

    def forward(
        self,
        gene_ids: Tensor,
        values: Tensor,
        mask: Tensor,
        *,
        domains: Tensor | None = None,
        cls_only: bool = False,
    ) -> Tensor:
        """Give the last state of tokens, (B, L, D), or of the first alone, (B, 1, D); see `inputs`."""
        hidden = self.inputs(gene_ids, values, mask, domains=domains)
        return cast(Tensor, self.transformer_encoder(hidden, mask, cls_only=cls_only))

    def generate(self, known: Tensor, known_mask: Tensor, gene_ids: Tensor) -> Tensor:
        """Let genes whose expression is not shown attend to those whose is; last state, (B, P + G, D).

        Parameters
        ----------
        known
            (B, P, D) what the first layer reads of known genes, as `inputs` gives it.
        known_mask
            (B, P) True = real token.
        gene_ids
            (B, G) genes to be generated.
        """
        flag = self.flag_encoder.weight[1]
        hidden = torch.cat([known, self.encoder(gene_ids) + flag], dim=1)  # (B, P + G, D)
        allowed = attended_in_generation(known_mask, gene_ids.shape[1])
        for layer in self.transformer_encoder.layers:
            hidden = cast(Layer, layer).generate(hidden, allowed, known.shape[1])
        return hidden

    def cells(self, hidden: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Give the vector that stands for each cell, (B, D), from the last state."""
        if self.config.cell_pool == "cls":
            return hidden[:, 0]
        weights = mask[..., None].to(hidden.dtype)  # (B, L, 1)
        if self.config.cell_pool == "avg-pool":
            return (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return normalize((hidden * weights * values[..., None]).sum(dim=1), dim=1)

    def decoded_with(self, vectors: Tensor, domains: Tensor | None) -> Tensor:
        """Add what the decoders must know of domains to tokens (B, L, D) or cells (B, D)."""
        if not self.config.domain_labels:
            return vectors
        if domains is None:
            labels = self.batch_encoder(torch.arange(self.config.n_domains, device=vectors.device))
            labels = labels.mean(dim=0, keepdim=True).expand(len(vectors), -1)
        else:
            labels = self.batch_encoder(domains)  # (B, D)
        if vectors.ndim == 3:
            labels = labels[:, None].expand(-1, vectors.shape[1], -1)
        return torch.cat([vectors, labels.to(vectors.dtype)], dim=-1)


def genes_only(mask: Tensor) -> Tensor:
    """Leave `<cls>`, the first token, out of a mask, (B, L)."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return mask & (places > 0)


class CellHead(Head):
    """The authors' class decoder on `<cls>` of the last layer, or on the mean over genes."""

    def __init__(self, config: Config, n_types: int, *, pooling: Pooling) -> None:
        super().__init__()
        self.cls_decoder = ClassDecoder(
            config.width, n_types, n_layers=config.n_layers_head, activation=nn.ReLU
        )
        self.pooling = pooling

    def select(self, encoding: Encoding) -> Tensor:
        """Take the vector that stands for each cell, (B, D)."""
        if self.pooling == "published":
            return encoding.tokens[:, 0]
        weights = genes_only(encoding.mask)[..., None].to(encoding.tokens.dtype)
        return (encoding.tokens * weights).sum(dim=1) / weights.sum(dim=1)

    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K)."""
        return cast(Tensor, self.cls_decoder(selected))
