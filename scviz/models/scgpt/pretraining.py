"""Pre-training: show a part of each cell and generate the rest; losses; vocabularies of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from scviz.foundation.corpus import corpus_genes
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.scgpt.checkpoint import SPECIAL
from scviz.models.scgpt.tokenizer import BinRules, Cell, join, pad

GENERATED = (0.25, 0.5, 0.75)
"""Shares of genes to be generated; one of them is drawn for each batch."""

ECS_THRESHOLD = 0.3
"""Similarity of cells below which training makes them less alike, in the authors' code."""


@dataclass(frozen=True, slots=True)
class SplitCells:
    """Cells of which one part is shown and the other is to be generated."""

    known: Tokens
    """(B, P) `<cls>` and the genes that are shown, with their bins."""
    generated: Tokens
    """(B, G) the other genes, with the bins that are to be found."""


Permute = Callable[[int], NDArray[np.int64]]
"""Draws an order of n things, (n,)."""


def split(
    cells: Sequence[Cell], vocab: GeneVocab, rules: BinRules, *, share: float, permute: Permute
) -> SplitCells:
    """Split the genes of each cell at random, and pad both parts.

    Parameters
    ----------
    cells
        Binned cells, `<cls>` first. Of a cell that is longer than the rules allow, each part is sampled.
    share
        Of its genes that is to be generated.
    """
    length = min(rules.max_length, max(len(cell) for cell in cells))
    n_generated = int((length - 1) * share)
    known, generated = [], []
    for cell in cells:
        genes = cell.take(slice(1, None))
        order, n = permute(len(genes)), int(len(genes) * share)
        shown = join(cell.take(slice(1)), genes.take(order[n:]))
        known.append(_sample(shown, length - n_generated, permute))
        generated.append(_sample(genes.take(order[:n]), n_generated, permute))
    return SplitCells(
        known=pad(known, vocab, rules, length=length - n_generated),
        generated=pad(generated, vocab, rules, length=n_generated),
    )


def _sample(cell: Cell, n: int, permute: Permute) -> Cell:
    """Keep the first and n - 1 random other genes of a cell with more than n, as the authors do for both parts."""
    return cell if len(cell) <= n else cell.take(np.append(0, 1 + permute(len(cell) - 1))[:n])


def split_tokens(
    tokens: Tokens, *, vocab: GeneVocab, rules: BinRules, generator: torch.Generator
) -> SplitCells:
    """Split a batch of binned tokens, with one share for all of it; cells without tokens are left out."""
    share = GENERATED[int(torch.randint(len(GENERATED), (), generator=generator))]
    values = tokens.values if tokens.values is not None else np.zeros(tokens.mask.shape)
    cells = [
        Cell(gene_ids[mask], bins[mask])
        for gene_ids, bins, mask in zip(tokens.gene_ids, values, tokens.mask, strict=True)
        if mask.any()
    ]
    return split(
        cells,
        vocab,
        rules,
        share=share,
        permute=lambda n: torch.randperm(n, generator=generator).numpy(),
    )


def hide_values(
    values: Tensor, may: Tensor, *, share: float, mask_value: float, generator: torch.Generator
) -> Tensor:
    """Hide the bins of genes, each with the same chance, (B, L).

    Parameters
    ----------
    values
        (B, L) bins, on the device of `generator`.
    may
        (B, L) which of them may be hidden.
    """
    hidden = torch.bernoulli(may.float() * share, generator=generator).bool()
    return values.masked_fill(hidden, mask_value)


def masked_mse(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Average squared errors over a mask, (B, L) each, a scalar."""
    return ((predicted.float() - target) ** 2 * mask).sum() / mask.sum()


def elastic_similarity(cells: Tensor, *, threshold: float = ECS_THRESHOLD) -> Tensor:
    """Give the loss that pulls cells together above a similarity and apart below (ECS), a scalar.

    Parameters
    ----------
    cells
        (B, D) vectors of cells.
    """
    unit = normalize(cells.float(), dim=1)
    cosine = (unit @ unit.T).fill_diagonal_(0).relu()
    return (1 - (cosine - threshold) ** 2).mean()


def vocabulary(adata: AnnData) -> GeneVocab:
    """Make a vocabulary of the genes that a corpus detects, special tokens behind them.

    Parameters
    ----------
    adata
        (N, G) raw counts. Genes are named by symbol where all that are detected have one, else by Ensembl id;
        the other name becomes an alias.
    """
    corpus = corpus_genes(adata, prefer="symbol")
    return GeneVocab(
        genes=corpus.names,
        ids=np.arange(len(corpus.names), dtype=np.int64),
        special={name: len(corpus.names) + i for i, name in enumerate(SPECIAL)},
        kind=corpus.kind,
        aliases=corpus.aliases,
    )
