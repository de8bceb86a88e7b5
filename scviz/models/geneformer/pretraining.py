"""Pre-training: hide some genes of each cell and let the network name them; vocabularies of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from scviz.foundation.corpus import CorpusGenes, corpus_genes
from scviz.foundation.vocab import GeneVocab
from scviz.models.geneformer.tokenizer import TARGET_SUM

HIDDEN, MASKED, REPLACED = 0.15, 0.8, 0.1
"""Share of genes to be named; of these, shares shown as `<mask>` and as another gene; the rest stay."""

IGNORED = -100
"""Target of places that are not to be named; what torch's cross entropy leaves out."""

SPECIAL = {
    "v1": {"<pad>": 0, "<mask>": 1},
    "v2": {"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3},
}


@dataclass(frozen=True, slots=True)
class MaskedTokens:
    """Sentences with some genes hidden."""

    gene_ids: Tensor
    """(B, L) what the network reads."""
    targets: Tensor
    """(B, L) the true token where it is to be named, IGNORED elsewhere."""


def mask_tokens(
    gene_ids: Tensor, mask: Tensor, *, vocab: GeneVocab, generator: torch.Generator, published: bool = False
) -> MaskedTokens:
    """Hide 15 % of the genes: 80 % of them as `<mask>`, 10 % as a random gene, 10 % left as they are.

    Parameters
    ----------
    gene_ids, mask
        (B, L) tokens and which of them are real, on the device of `generator`.
    published
        Treat `<cls>` and `<eos>` like genes and draw random tokens from the whole vocabulary, special ones
        included, as the authors' training does.
    """
    genes = torch.as_tensor(vocab.ids)
    if published:
        genes = torch.arange(len(vocab) + len(vocab.special))
        may = mask & (gene_ids != vocab.special["<pad>"]) & (gene_ids != vocab.special["<mask>"])
    else:
        may = mask & ~torch.isin(gene_ids, torch.tensor(list(vocab.special.values())))
    draw = torch.rand(gene_ids.shape, generator=generator)
    hidden = may & (draw < HIDDEN)
    how = torch.rand(gene_ids.shape, generator=generator)
    other = genes[torch.randint(len(genes), gene_ids.shape, generator=generator)]
    shown = torch.where(hidden & (how < MASKED), vocab.special["<mask>"], gene_ids)
    shown = torch.where(hidden & (how >= MASKED) & (how < MASKED + REPLACED), other, shown)
    return MaskedTokens(shown, torch.where(hidden, gene_ids, IGNORED))


def vocabulary(adata: AnnData, *, style: Literal["v1", "v2"] = "v1") -> GeneVocab:
    """Make a vocabulary of the genes that a corpus detects, with their typical expression.

    The typical expression of a gene is the median, over cells that have it, of counts per 10,000.

    Parameters
    ----------
    adata
        (N, G) raw counts. Genes are named by Ensembl id where all that are detected have one, else by symbol;
        the other name becomes an alias.
    style
        "v2" adds the tokens `<cls>` and `<eos>`.
    """
    corpus, special = corpus_genes(adata, prefer="ensembl"), SPECIAL[style]
    return GeneVocab(
        genes=corpus.names,
        ids=np.arange(len(special), len(special) + len(corpus.names), dtype=np.int64),
        special=special,
        kind=corpus.kind,
        aliases=corpus.aliases,
        values={"median": _medians(sparse.csr_matrix(adata.X, dtype=np.float64), corpus)},
    )


def _medians(counts: sparse.csr_matrix, corpus: CorpusGenes) -> NDArray[np.float64]:
    """Take the median of counts per 10,000 over the cells that have a gene, (V,); columns of one gene are summed."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    known = np.flatnonzero(corpus.gene_of >= 0)
    sums = sparse.csr_matrix(
        (np.ones(len(known)), (known, corpus.gene_of[known])), shape=(counts.shape[1], len(corpus.names))
    )
    scaled = sparse.csc_matrix(sparse.diags(TARGET_SUM / np.where(totals > 0, totals, 1)) @ (counts @ sums))
    scaled.eliminate_zeros()
    return np.array([np.median(scaled.data[start:stop]) for start, stop in pairwise(scaled.indptr)])
