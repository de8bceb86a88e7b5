"""The shape of a Geneformer network, and the words that BERT has for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scviz.errors import CheckpointError

Layer = Literal[0, -1]
"""As the authors count: 0 = the last layer, -1 = the second to last."""
CellMode = Literal["cell", "cls"]
"""Mean over genes, or the `<cls>` token."""

BERT_NAMES = {
    "n_tokens": "vocab_size",
    "n_layers": "num_hidden_layers",
    "width": "hidden_size",
    "n_heads": "num_attention_heads",
    "ffn": "intermediate_size",
    "max_length": "max_position_embeddings",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "head_dropout": "classifier_dropout",
    "activation": "hidden_act",
    "norm_eps": "layer_norm_eps",
    "initializer_range": "initializer_range",
    "pad": "pad_token_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a network is made of."""

    n_tokens: int
    """Genes and special tokens."""
    n_layers: int
    width: int
    n_heads: int
    ffn: int
    """Width inside the feed-forward parts."""
    max_length: int
    """Longest sentence, special tokens included."""
    dropout: float = 0.02
    attention_dropout: float = 0.02
    head_dropout: float | None = None
    """Dropout of heads; None takes `dropout`."""
    activation: str = "relu"
    norm_eps: float = 1e-12
    initializer_range: float = 0.02
    pad: int = 0
    emb_layer: Literal[0, -1] = -1
    """Layer that cells are embedded from: 0 = the last, -1 = the second to last, as the authors count."""
    emb_mode: Literal["auto", "cell", "cls"] = "auto"
    """Mean over genes, or the `<cls>` token; "auto" takes `<cls>` where the vocabulary has it."""

    def __post_init__(self) -> None:
        if self.width % self.n_heads:
            raise CheckpointError(
                f"The width {self.width} cannot be divided among {self.n_heads} attention heads."
            )

    def to_bert(self) -> dict[str, Any]:
        """Return the values in the names of transformers' BertConfig."""
        return {bert: getattr(self, name) for name, bert in BERT_NAMES.items()} | {"type_vocab_size": 2}

    @classmethod
    def from_bert(cls, values: Mapping[str, Any]) -> Config:
        """Read a published `config.json`.

        Raises
        ------
        CheckpointError
            If it describes another network than a BERT with learned positions, or lacks a value.
        """
        kind = values.get("model_type"), values.get("position_embedding_type") or "absolute"
        if kind != ("bert", "absolute"):
            raise CheckpointError(
                f"config.json describes a {kind[0]!r} network with {kind[1]} positions, not a Geneformer.",
                hint="Choose the folder of a Geneformer checkpoint.",
            )
        fields = {field.name: field for field in dataclasses.fields(cls)}
        known = {name: values[bert] for name, bert in BERT_NAMES.items() if bert in values}
        absent = [
            bert
            for name, bert in BERT_NAMES.items()
            if name not in known and fields[name].default is dataclasses.MISSING
        ]
        if absent:
            raise CheckpointError(
                f"config.json lacks {', '.join(absent)}.",
                hint="Download the checkpoint again, config.json included.",
            )
        return cls(**known)


def tiny(n_tokens: int) -> Config:
    """Return the smallest network that works; for tests."""
    return Config(n_tokens=n_tokens, n_layers=2, width=32, n_heads=2, ffn=64, max_length=64)


def demo(n_tokens: int) -> Config:
    """Return a network that a laptop trains in minutes; dropout inside attention would double its time there."""
    return Config(
        n_tokens=n_tokens, n_layers=4, width=128, n_heads=4, ffn=256, max_length=512, attention_dropout=0.0
    )


def v1_10m(n_tokens: int = 25_426) -> Config:
    """Return the shape of Geneformer-V1-10M."""
    return Config(n_tokens=n_tokens, n_layers=6, width=256, n_heads=4, ffn=512, max_length=2048)


def v2_104m(n_tokens: int = 20_275) -> Config:
    """Return the shape of Geneformer-V2-104M."""
    return Config(
        n_tokens=n_tokens,
        n_layers=12,
        width=768,
        n_heads=12,
        ffn=3072,
        max_length=4096,
        dropout=0.1,
        attention_dropout=0.1,
    )


def v2_316m(n_tokens: int = 20_275) -> Config:
    """Return the shape of Geneformer-V2-316M."""
    return Config(
        n_tokens=n_tokens,
        n_layers=18,
        width=1152,
        n_heads=18,
        ffn=4608,
        max_length=4096,
        dropout=0.1,
        attention_dropout=0.1,
    )


SHAPES = {"tiny": tiny, "demo": demo, "v1-10m": v1_10m, "v2-104m": v2_104m, "v2-316m": v2_316m}
"""Named shapes; each takes the number of tokens of the vocabulary."""
