"""The shape of an scBERT network, from its tensors or by name."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, Literal

from scviz.errors import CheckpointError

HEAD_WIDTHS = (512, 128)
TARGET_SUM = 10_000.0

GeneTable = Literal["gene2vec", "learned", "none"]
KeyMax = Literal["cell", "batch"]
CellMode = Literal["expressed", "all", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a network is made of, and how counts become its tokens."""

    n_genes: int
    n_layers: int
    width: int
    n_heads: int
    attention_width: int = 64
    """Width of one attention head; it need not be width / n_heads."""
    n_features: int
    """Random features that stand for the softmax; d log d for heads of width d."""
    ffn: int
    """Width inside the feed-forward parts; a multiple of `width`."""
    n_bins: int = 5
    """Highest level of expression; level 0 is below one count in `target_sum`, and n_bins + 1 hides a level."""
    gene_table: GeneTable = "gene2vec"
    """Vectors of genes: given and fixed, learned with the rest, or none."""
    key_max: KeyMax = "cell"
    """Over what the largest exponent of keys is taken. The authors take it over the whole batch, so that a
    cell's numbers depend on the others beside it; one cell at a time, both are the same."""
    redraw_every: int = 1000
    """Training batches between new random features."""
    head_widths: tuple[int, int] = HEAD_WIDTHS
    """Widths inside the head for cell types."""
    min_genes: int = 200
    """Fewest detected genes of the list; cells with fewer are not read."""
    target_sum: float = TARGET_SUM
    """Counts that a cell is scaled to, over the genes of the list."""
    cell_mode: CellMode = "expressed"
    """The summary of a cell, which the authors leave open: the mean over genes that have a level above 0, over
    all genes, or the token at the end."""

    def __post_init__(self) -> None:
        if self.ffn % self.width:
            raise CheckpointError(
                f"The width {self.ffn} of feed-forward parts is no multiple of {self.width}."
            )

    @property
    def length(self) -> int:
        """Tokens of a cell: its genes and one at the end."""
        return self.n_genes + 1

    @property
    def hidden_bin(self) -> int:
        """What is shown in place of a hidden level."""
        return self.n_bins + 1


def _shape(
    n_genes: int, *, n_layers: int, width: int, n_heads: int, attention_width: int, ffn: int, **rest: Any
) -> Config:
    return Config(
        n_genes=n_genes,
        n_layers=n_layers,
        width=width,
        n_heads=n_heads,
        attention_width=attention_width,
        n_features=int(attention_width * log(attention_width)),
        ffn=ffn,
        gene_table="learned",
        **rest,
    )


def tiny(n_genes: int) -> Config:
    """Return the smallest network that works; for tests."""
    return _shape(
        n_genes,
        n_layers=2,
        width=32,
        n_heads=2,
        attention_width=8,
        ffn=128,
        min_genes=1,
        head_widths=(64, 64),
    )


def demo(n_genes: int) -> Config:
    """Return a network that a laptop trains in minutes."""
    return _shape(n_genes, n_layers=2, width=64, n_heads=2, attention_width=16, ffn=128, min_genes=1)


def panglao(n_genes: int = 16_906) -> Config:
    """Return the shape of the published network."""
    return _shape(n_genes, n_layers=6, width=200, n_heads=10, attention_width=64, ffn=800)


SHAPES = {"tiny": tiny, "demo": demo, "panglao": panglao}
"""Named shapes; each takes the number of genes of the vocabulary."""

MOST_GENES = {"demo": 1000}
"""Genes that a shape reads at most, the most variable ones of a corpus."""
