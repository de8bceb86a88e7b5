"""The shape of a scFoundation network, and the words that the authors have for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scviz.errors import CheckpointError

SPECIAL = ("<T>", "<S>", "<pad>")
"""Positions behind those of the genes: wanted depth, depth found, padding."""

MASK, PAD = 102.0, 103.0
"""Values that stand for a hidden gene and for padding."""

AUTHORS_NAMES = {
    ("encoder", "hidden_dim"): "width",
    ("encoder", "depth"): "n_layers",
    ("encoder", "heads"): "n_heads",
    ("decoder", "hidden_dim"): "decoder_width",
    ("decoder", "depth"): "n_decoder_layers",
    ("decoder", "heads"): "n_decoder_heads",
    ("decoder", "dim_head"): "head_width",
    ("bin_num",): "n_bins",
    ("bin_alpha",): "bin_alpha",
}
EXPECTED = {
    ("encoder", "module_type"): "transformer",
    ("decoder", "module_type"): "performer",
    ("mask_token_id",): int(MASK),
    ("pad_token_id",): int(PAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a network is made of, and how it reads cells."""

    n_genes: int
    width: int
    """Of the encoder."""
    n_layers: int
    n_heads: int
    decoder_width: int
    n_decoder_layers: int
    n_decoder_heads: int
    head_width: int
    """Of each head of the decoder."""
    n_bins: int
    bin_alpha: float = 1.0
    dropout: float = 0.1
    """In the encoder; the decoder has none."""
    target: str = "t4"
    """Depth that cells should look like: "t4" 10^4 reads; "f2" twice, "a1" ten times what they have."""
    depth_tokens: bool = True
    """Give the encoder T and S; the authors leave them out when they name cell types."""
    pooling: Literal["all", "max"] = "all"
    """Cells as S, T, maximum and mean of genes side by side, or as the maximum of all tokens."""

    def __post_init__(self) -> None:
        if self.width % self.n_heads:
            raise CheckpointError(
                f"The width {self.width} cannot be divided among {self.n_heads} attention heads."
            )

    @property
    def n_positions(self) -> int:
        """Genes, T, S and padding."""
        return self.n_genes + len(SPECIAL)

    @classmethod
    def from_authors(cls, values: Mapping[str, Any]) -> Config:
        """Read the `config` of a member of `models.ckpt`.

        Raises
        ------
        CheckpointError
            If it describes another network, or lacks a value.
        """
        kind = str(values.get("model"))
        if kind != "mae_autobin":
            raise CheckpointError(
                f"The config of the weights describes a {kind!r} network, not mae_autobin.",
                hint="Choose the models.ckpt of scFoundation.",
            )
        shape = (values.get("model_config") or {}).get(kind, values)
        for path, wanted in EXPECTED.items():
            found = _value(shape, path)
            if found != wanted:
                raise CheckpointError(
                    f"The config of the weights has {'.'.join(path)} {found!r}, where scFoundation has {wanted!r}.",
                    hint="Choose the models.ckpt of scFoundation.",
                )
        known = {ours: _value(shape, path) for path, ours in AUTHORS_NAMES.items()}
        return cls(n_genes=int(_value(shape, ("seq_len",))) - 2, **known)

    def to_authors(self) -> dict[str, Any]:
        """Return the values as the authors nest them."""
        shape: dict[str, Any] = {"encoder": {}, "decoder": {}, "seq_len": self.n_genes + 2}
        for path, value in EXPECTED.items() | {
            (path, getattr(self, ours)) for path, ours in AUTHORS_NAMES.items()
        }:
            (shape[path[0]] if len(path) == 2 else shape)[path[-1]] = value
        return {"model": "mae_autobin", "model_config": {"mae_autobin": shape}}


def _value(shape: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Follow names into nested values."""
    found: Any = shape
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            raise CheckpointError(
                f"The config of the weights lacks {'.'.join(path)}.", hint="Download models.ckpt again."
            )
        found = found[name]
    return found


def tiny(n_genes: int) -> Config:
    """Return the smallest network that works; for tests."""
    return Config(
        n_genes=n_genes,
        width=32,
        n_layers=2,
        n_heads=2,
        decoder_width=16,
        n_decoder_layers=1,
        n_decoder_heads=2,
        head_width=8,
        n_bins=8,
        target="f1",
    )


def demo(n_genes: int) -> Config:
    """Return a network that a laptop trains in minutes; without dropout, which small corpora do not need."""
    return Config(
        n_genes=n_genes,
        width=128,
        n_layers=3,
        n_heads=4,
        decoder_width=64,
        n_decoder_layers=2,
        n_decoder_heads=2,
        head_width=32,
        n_bins=32,
        dropout=0.0,
        target="f1",
    )


def published(n_genes: int = 19_264) -> Config:
    """Return the shape of each network in the authors' `models.ckpt`."""
    return Config(
        n_genes=n_genes,
        width=768,
        n_layers=12,
        n_heads=12,
        decoder_width=512,
        n_decoder_layers=6,
        n_decoder_heads=8,
        head_width=64,
        n_bins=100,
    )


SHAPES = {"tiny": tiny, "demo": demo, "119m": published}
"""Named shapes; each takes the number of genes."""
