"""The network: a BERT whose words are genes and whose word order is the rank of expression.

With token embedding :math:`e`, position embedding :math:`p` and token type 0 embedding :math:`t`, the first
hidden state is :math:`h^0_i = LN(e_{g_i} + p_i + t)`; each layer is self-attention and a ReLU feed-forward part,
both followed by addition and LayerNorm. Layers come from transformers' BERT; what is here decides which run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForMaskedLM
from transformers.initialization import no_init_weights
from transformers.models.bert.modeling_bert import BertLayer

from scviz.foundation.encoding import Encoding, mean_of_tokens
from scviz.foundation.model import Head, Pooling
from scviz.models.geneformer.config import Config

TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
"""Weights of the output that are those of the token embedding and `cls.predictions.bias`."""


class Network(nn.Module):
    """The encoder with its masked-gene head."""

    def __init__(self, config: Config, *, initialize: bool = True) -> None:
        super().__init__()
        bert = BertConfig(**config.to_bert())
        if initialize:
            self.lm = BertForMaskedLM(bert)
        else:
            with no_init_weights():  # saves seconds; every weight is about to be read from a file
                self.lm = BertForMaskedLM(bert)
            self.lm.tie_weights()
        self.n_layers = config.n_layers

    @property
    def token_embedding(self) -> Tensor:
        """(T, D) one vector for each token."""
        return self.lm.bert.embeddings.word_embeddings.weight

    def hidden_states(self, gene_ids: Tensor, mask: Tensor) -> Iterator[Tensor]:
        """Yield h^0, the embedding of tokens, then what each layer gives, (B, L, D); stop early to save work.

        Parameters
        ----------
        gene_ids
            (B, L) tokens.
        mask
            (B, L) True = real token.
        """
        hidden = self.lm.bert.embeddings(input_ids=gene_ids)  # (B, L, D)
        yield hidden
        keys = attended(mask)
        for layer in self.lm.bert.encoder.layer:
            hidden = layer(hidden, keys)
            yield hidden

    def hidden_state(self, gene_ids: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Return h^layer, (B, L, D), and run no layer above it.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        for k, hidden in enumerate(self.hidden_states(gene_ids, mask)):
            if k == layer:
                return hidden
        raise ValueError(f"There is no hidden state {layer}; they are 0 to {self.n_layers}.")

    def hidden_state_of_copies(self, gene_ids: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Return the same as `hidden_state`, (B, L, D), faster for sentences that have most genes at the same places.

        Until genes meet in the first attention, what is computed depends on a gene and its place alone; each such
        pair is computed once. Dropout must be off.
        """
        if layer == 0:
            return self.hidden_state(gene_ids, mask, layer)
        length = gene_ids.shape[1]
        places = torch.arange(length, device=gene_ids.device)
        pairs, at = torch.unique(gene_ids * length + places, return_inverse=True)  # (U,), (B, L)
        bert = self.lm.bert
        known = bert.embeddings(input_ids=(pairs // length)[None], position_ids=(pairs % length)[None])[0]
        first, *others = (cast(BertLayer, each) for each in bert.encoder.layer)
        part = first.attention.self
        query, key, value = (
            make(known)[at].unflatten(2, (part.num_attention_heads, -1)).transpose(1, 2)  # (B, H, L, D/H)
            for make in (part.query, part.key, part.value)
        )
        keys = attended(mask)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, keys)
        hidden: Tensor = first.attention.output(mixed.transpose(1, 2).flatten(2), known[at])
        hidden = first.output(first.intermediate(hidden), hidden)
        for each in others[: layer - 1]:
            hidden = each(hidden, keys)
        return hidden

    def gene_logits(self, hidden: Tensor) -> Tensor:
        """Score every token of the vocabulary, (..., T), from the last hidden state (..., D)."""
        return cast(Tensor, self.lm.cls(hidden))

    def attention(self, gene_ids: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Return the weights of one layer's attention, (B, H, L, L): query, then key; each row sums to 1."""
        hidden = self.hidden_state(gene_ids, mask, layer)
        part = cast(BertLayer, self.lm.bert.encoder.layer[layer]).attention.self
        batch, length, width = hidden.shape
        shape = (batch, length, part.num_attention_heads, width // part.num_attention_heads)
        query = part.query(hidden).view(shape).transpose(1, 2)  # (B, H, L, D/H)
        key = part.key(hidden).view(shape).transpose(1, 2)
        scores = query @ key.transpose(2, 3) / shape[-1] ** 0.5  # (B, H, L, L)
        keys = attended(mask)
        if keys is not None:
            scores = scores.masked_fill(~keys, -torch.inf)
        return cast(Tensor, scores.softmax(dim=-1))


def attended(mask: Tensor) -> Tensor | None:
    """Turn the mask of real tokens into keys that may be attended to, (B, 1, 1, L); None where all may.

    A cell without tokens attends to its padding, so that it gives numbers, which nobody reads.
    """
    if bool(mask.all()):
        return None
    return (mask | ~mask.any(dim=1, keepdim=True))[:, None, None, :]


def genes_only(mask: Tensor, *, special_tokens: bool) -> Tensor:
    """Leave out the first and the last token of each cell, `<cls>` and `<eos>`, if there are such, (B, L)."""
    if not special_tokens:
        return mask
    places = torch.arange(mask.shape[1], device=mask.device)
    return mask & (places > 0) & (places < mask.sum(dim=1, keepdim=True) - 1)


class CellHead(Head):
    """Dense, tanh, dropout, linear: BERT's pooler and classifier.

    Parameters
    ----------
    pooling
        "published" reads the first place of the last layer: `<cls>` in V2, the gene that ranks highest in V1;
        "mean" reads the mean over genes.
    special_tokens
        Whether sentences begin with `<cls>` and end with `<eos>`.
    """

    def __init__(
        self, width: int, n_types: int, *, dropout: float, pooling: Pooling, special_tokens: bool
    ) -> None:
        super().__init__()
        self.pooler = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, n_types)
        self.pooling: Literal["mean", "published"] = pooling
        self.special_tokens = special_tokens

    def select(self, encoding: Encoding) -> Tensor:
        """Take the vector that stands for each cell, (B, D)."""
        if self.pooling == "published":
            return encoding.tokens[:, 0]
        mask = genes_only(encoding.mask, special_tokens=self.special_tokens)
        return mean_of_tokens(encoding.tokens, mask)

    def pooled(self, selected: Tensor) -> Tensor:
        """Return what the classifier reads, (B, D)."""
        return self.pooler(selected).tanh()  # type: ignore[no-any-return]

    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K)."""
        return self.classifier(self.dropout(self.pooled(selected)))  # type: ignore[no-any-return]
