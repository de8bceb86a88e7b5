"""Pre-training: hide some levels of each cell and let the network tell them; gene lists of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from anndata import AnnData
from scipy import sparse
from torch import Tensor

from scviz.datasets.expression import log_expression, variable_genes
from scviz.foundation.corpus import corpus_genes
from scviz.foundation.vocab import GeneVocab
from scviz.models.scbert.config import TARGET_SUM
from scviz.models.scbert.tokenizer import gene_list

HIDDEN, SHOWN_AS_HIDDEN = 0.15, 0.9
"""Share of the levels above 0 that are to be told; of these, the share that is hidden; the rest stay."""

SPREAD = 4.0
"""Scaled counts that one count of a typical cell becomes, level 2, so that a deep cell keeps its single counts."""


@dataclass(frozen=True, slots=True)
class MaskedBins:
    """Levels with some of them hidden."""

    bins: Tensor
    """(B, L) what the network reads."""
    targets: Tensor
    """(B, L) the true level where it is to be told, the hiding one elsewhere."""


def mask_bins(
    bins: Tensor,
    hidden_bin: int,
    generator: torch.Generator,
    *,
    share: float = HIDDEN,
    shown_as_hidden: float = SHOWN_AS_HIDDEN,
) -> MaskedBins:
    """Choose 15 % of the levels above 0 of each cell, rounded up, and hide nine in ten of them.

    Parameters
    ----------
    bins
        (B, L) levels, 0 for padding, on the device of `generator`.
    hidden_bin
        What is shown in place of a hidden level.
    """
    may = (bins != 0) & (bins != hidden_bin)
    n_asked = (may.sum(dim=1, keepdim=True) * share).ceil()  # (B, 1)
    draw = torch.rand(bins.shape, generator=generator).masked_fill(~may, -1.0)
    rank = draw.argsort(dim=1, descending=True).argsort(dim=1)  # (B, L) 0 = the largest draw
    asked = may & (rank < n_asked)
    hides = torch.rand(bins.shape, generator=generator) < shown_as_hidden
    shown = torch.where(asked & hides, hidden_bin, bins)
    return MaskedBins(shown, torch.where(asked, bins, hidden_bin))


@dataclass(frozen=True, slots=True)
class Corpus:
    """The gene list of a corpus."""

    vocab: GeneVocab
    target_sum: float
    """Counts to scale cells to, so that the levels of the corpus spread out."""


def read_corpus(adata: AnnData, *, most: int | None = None) -> Corpus:
    """List the genes that a corpus detects, in its order.

    Parameters
    ----------
    adata
        (N, G) raw counts. Genes are named by symbol where all that are detected have one, else by Ensembl id;
        the other name becomes an alias.
    most
        Keep so many of the most variable genes; None keeps all.
    """
    corpus = corpus_genes(adata, prefer="symbol")
    counts = sparse.csr_matrix(adata.X, dtype=np.float32)
    columns = np.flatnonzero(corpus.gene_of >= 0)
    if most is not None and len(columns) > most:
        variable = columns[variable_genes(log_expression(counts[:, columns]), most)]
        return read_corpus(adata[:, np.isin(corpus.gene_of, corpus.gene_of[variable])])
    n_counts = np.asarray(counts[:, columns].sum(axis=1)).ravel()
    return Corpus(
        vocab=gene_list(corpus.names, kind=corpus.kind, aliases=corpus.aliases),
        target_sum=min(TARGET_SUM, SPREAD * float(np.median(n_counts[n_counts > 0]))),
    )
