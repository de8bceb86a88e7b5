"""Pre-training: thin out the reads of some cells, hide genes, and let the network restore the whole cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from anndata import AnnData
from scipy import sparse
from torch import Tensor

from scviz.foundation.corpus import corpus_genes
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.scfoundation.checkpoint import list_vocab
from scviz.models.scfoundation.config import MASK
from scviz.models.scfoundation.tokenizer import TARGET_SUM, Profiles

HIDDEN_EXPRESSED, HIDDEN_ZEROS = 0.3, 0.03
"""Share of genes to be restored, of those that a cell expresses and of those that it does not."""

MASKED, REPLACED = 0.8, 0.1
"""Of these, shares shown as hidden and with the value of another gene; the rest stay as they are."""

THINNED, FEWEST_READS = 0.5, 1000
"""Share of cells whose reads are thinned out, and the total below which none are."""


@dataclass(frozen=True, slots=True)
class HiddenGenes:
    """Cells with some genes hidden, and what they were."""

    rows: Tensor
    """(B, G+2) what the decoder reads: log1p values, MASK for hidden genes, T and S."""
    truth: Tensor
    """(B, G) log1p values of the whole cells."""
    asked: Tensor
    """(B, G) True = to be restored."""

    def tokens(self) -> Tokens:
        """Give what the encoder reads: expressed genes that are not hidden, T and S."""
        rows = torch.where(self.rows == MASK, 0.0, self.rows).numpy()
        genes = sparse.csr_matrix(rows[:, :-2].astype(np.float64))
        target, source = rows[:, -2].astype(np.float64), rows[:, -1].astype(np.float64)
        return Profiles(genes, target, source).tokens(depth_tokens=True)


def counts_of(tokens: Tokens, n_genes: int) -> Tensor:
    """Recover raw counts, (B, n_genes), from tokens that were made of them.

    A value is ln(1 + 10,000 count / total), and S = log10(total) stands last. Single precision keeps both well
    enough for counts up to some hundred thousand.
    """
    lengths = tokens.lengths()
    if tokens.values is None or not len(lengths) or not lengths.max():
        return torch.zeros(len(lengths), n_genes)
    totals = 10.0 ** tokens.values[np.arange(len(lengths)), lengths - 1].astype(np.float64)
    counts = np.zeros((len(lengths), n_genes + 3))  # behind the genes T, S and padding
    found = np.expm1(tokens.values.astype(np.float64).clip(max=20.0)) * totals[:, None] / TARGET_SUM
    np.put_along_axis(counts, tokens.gene_ids, np.where(tokens.mask, np.rint(found), 0.0), axis=1)
    return torch.as_tensor(counts[:, :n_genes], dtype=torch.float32)


def thin_out(counts: Tensor, generator: torch.Generator) -> Tensor:
    """Keep a share of the reads of about half the cells, (B, G).

    The share of a cell is drawn from Beta(2, 2), and each read stays with that chance. Cells of fewer than
    FEWEST_READS reads stay whole.
    """
    chosen = torch.rand(len(counts), generator=generator) < THINNED
    chosen &= counts.sum(dim=1) >= FEWEST_READS
    # the middle one of three uniform numbers has the distribution Beta(2, 2)
    share = torch.rand(len(counts), 3, generator=generator).median(dim=1).values
    thinned = torch.binomial(counts, share[:, None].expand_as(counts).contiguous(), generator=generator)
    chosen &= thinned.sum(dim=1) > 1  # with one read S would be 0, and the cell empty
    return torch.where(chosen[:, None], thinned, counts)


def hide_genes(counts: Tensor, generator: torch.Generator) -> HiddenGenes:
    """Thin cells out and hide genes of what is left.

    T tells how many reads the whole cell has, S how many are left, and neither is hidden. A gene that is shown
    with the value of another one takes it from the expressed genes of its cell.

    Parameters
    ----------
    counts
        (B, G) raw counts.
    """
    left = thin_out(counts, generator)
    values, truth = _normalized(left), _normalized(counts)
    draw, how = (torch.rand(values.shape, generator=generator) for _ in range(2))
    asked = draw < torch.where(values > 0, HIDDEN_EXPRESSED, HIDDEN_ZEROS)
    asked &= (counts > 0).any(dim=1, keepdim=True)  # of an empty cell there is nothing to learn
    shown = torch.where(asked & (how < MASKED), MASK, values)
    replaced = asked & (how >= MASKED) & (how < MASKED + REPLACED)
    shown = torch.where(replaced, _values_of_others(values, generator), shown)
    depth = [total.sum(dim=1, keepdim=True).clamp(min=1).log10() for total in (counts, left)]
    return HiddenGenes(torch.cat([shown, *depth], dim=1), truth, asked)


def vocabulary(adata: AnnData) -> GeneVocab:
    """List the genes that a corpus detects.

    Parameters
    ----------
    adata
        (N, G) raw counts. Genes are named by symbol where all that are detected have one, else by Ensembl id;
        the other name becomes an alias.
    """
    corpus = corpus_genes(adata, prefer="symbol")
    return list_vocab(corpus.names, kind=corpus.kind, aliases=corpus.aliases)


def mean_squared_error(predicted: Tensor, hidden: HiddenGenes) -> Tensor:
    """Compare (B, G) log1p values with the whole cells at the genes that were asked for, a scalar; 0 where none was."""
    asked = hidden.asked.to(predicted.device)
    difference = (predicted - hidden.truth.to(predicted.device))[asked]
    return difference.square().sum() / max(1, len(difference))


def _normalized(counts: Tensor) -> Tensor:
    return torch.log1p(TARGET_SUM * counts / counts.sum(dim=1, keepdim=True).clamp(min=1))


def _values_of_others(values: Tensor, generator: torch.Generator) -> Tensor:
    """Draw for each place the value of an expressed gene of the same cell, (B, G)."""
    expressed = values > 0
    order = torch.argsort(expressed.int(), dim=1, descending=True, stable=True)  # expressed genes first
    n_expressed = expressed.sum(dim=1, keepdim=True).clamp(min=1)
    drawn = (torch.rand(values.shape, generator=generator) * n_expressed).long().minimum(n_expressed - 1)
    return values.gather(1, order.gather(1, drawn))
