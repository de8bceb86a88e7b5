"""The shape of an scGPT network, and the words of a published `args.json` for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scviz.errors import CheckpointError

PUBLISHED_NAMES = {
    "width": "embsize",
    "n_heads": "nheads",
    "ffn": "d_hid",
    "n_layers": "nlayers",
    "n_layers_head": "n_layers_cls",
    "dropout": "dropout",
    "attention_dropout": "dropout",
    "max_length": "max_seq_len",
    "n_bins": "n_bins",
    "pad_value": "pad_value",
    "mask_value": "mask_value",
    "cell_pool": "cell_emb_style",
}

CellPool = Literal["cls", "avg-pool", "w-pool"]
InputNorm = Literal["none", "all", "domain"]


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
    max_length: int = 1200
    """Most tokens of a cell, `<cls>` included."""
    n_bins: int = 51
    """Bins of expression, with bin 0 for what is not expressed."""
    pad_value: float = -2
    """Value of padding, and of `<cls>` in pre-training."""
    cls_value: float | None = None
    """Value of `<cls>`: that of padding if None, as in pre-training; 0 in what was fine-tuned to name cell types."""
    mask_value: float = -1
    """Value of a gene whose expression is hidden."""
    dropout: float = 0.2
    attention_dropout: float = 0.2
    n_layers_head: int = 3
    """Layers of the head that names cell types."""
    cell_pool: CellPool = "cls"
    """What stands for a cell: `<cls>`, the mean over tokens, or the mean weighted by values, to length 1."""
    input_norm: InputNorm = "none"
    """Batch normalization of what the first layer reads: none, one for all cells, or one for each domain."""
    n_domains: int = 0
    """Batches of cells that a fine-tuned network tells apart; 0 in pre-trained ones."""
    domain_labels: bool = False
    """Let the decoders see which domain a cell is of."""
    domain_head: bool = False
    """Have the head that names the domain of a cell, against which a network is trained."""
    zero_probability: bool = False
    """Let the decoders tell how likely a gene is to be expressed at all."""

    def __post_init__(self) -> None:
        if self.width % self.n_heads:
            raise CheckpointError(
                f"The width {self.width} cannot be divided among {self.n_heads} attention heads."
            )

    @property
    def width_decoded(self) -> int:
        """Width of what the decoders read: a token, with its domain where they see it."""
        return self.width * (2 if self.domain_labels else 1)

    @classmethod
    def from_published(cls, values: Mapping[str, Any], n_tokens: int) -> Config:
        """Read a published `args.json`; how many tokens there are, the weights say.

        Raises
        ------
        CheckpointError
            If a size is missing, or the values of genes are encoded in another way than by bins.
        """
        needed = [PUBLISHED_NAMES[name] for name in ("width", "n_heads", "ffn", "n_layers")]
        absent = [name for name in needed if name not in values]
        if absent:
            raise CheckpointError(
                f"args.json lacks {', '.join(absent)}.",
                hint="Choose the folder of an scGPT checkpoint, and download args.json again.",
            )
        style = values.get("input_emb_style", "continuous")
        if style != "continuous":
            raise CheckpointError(
                f"This network encodes expression in the style {style!r}; no released scGPT does.",
                hint="Choose a checkpoint with input_emb_style 'continuous'.",
            )
        known = {ours: values[theirs] for ours, theirs in PUBLISHED_NAMES.items() if theirs in values}
        return cls(n_tokens=n_tokens, **known)

    def to_published(self) -> dict[str, Any]:
        """Return the values in the words of `args.json`."""
        return {theirs: getattr(self, ours) for ours, theirs in PUBLISHED_NAMES.items()}


def tiny(n_tokens: int) -> Config:
    """Return the smallest network that works; for tests."""
    return Config(
        n_tokens=n_tokens,
        n_layers=2,
        width=32,
        n_heads=2,
        ffn=32,
        max_length=64,
        dropout=0.02,
        attention_dropout=0.0,
    )


def demo(n_tokens: int) -> Config:
    """Return a network that a laptop trains in minutes; dropout inside attention would double its time there."""
    return Config(
        n_tokens=n_tokens,
        n_layers=4,
        width=96,
        n_heads=4,
        ffn=128,
        max_length=512,
        dropout=0.02,
        attention_dropout=0.0,
    )


def whole_human(n_tokens: int = 60_697) -> Config:
    """Return the shape of all released checkpoints."""
    return Config(n_tokens=n_tokens, n_layers=12, width=512, n_heads=8, ffn=512)


SHAPES = {"tiny": tiny, "demo": demo, "whole-human": whole_human}
"""Named shapes; each takes the number of tokens of the vocabulary."""
