"""Pre-training: hide some genes of each cell and let the network name them; vocabularies of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from scviz.datasets.genes import identifiers
from scviz.errors import CountsError, GeneMatchError
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
    gene_ids: Tensor, mask: Tensor, vocab: GeneVocab, generator: torch.Generator, *, published: bool = False
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
    counts = sparse.csr_matrix(adata.X, dtype=np.float64)
    if len(counts.data) and not counts.data.min() >= 0:
        raise CountsError(
            "The matrix holds negative or missing values, so these are not raw counts.",
            hint="Choose the layer with raw counts.",
        )
    found = identifiers(adata.var)
    detected = np.asarray((counts > 0).sum(axis=0)).ravel() > 0
    ensembl, symbol = found.ensembl, found.symbol
    complete = ensembl is not None and all(name for name, seen in zip(ensembl, detected, strict=True) if seen)
    names, others = (ensembl, symbol) if complete or symbol is None else (symbol, ensembl)
    if names is None or not detected.any():
        raise GeneMatchError("No gene of the dataset has a name and counts.", hint="Open another dataset.")
    column = np.array(names, dtype=object)
    genes, first, inverse = np.unique(column.astype(str), return_index=True, return_inverse=True)
    medians = _median_of_detected(_summed(counts, inverse, len(genes)))
    kept = np.flatnonzero(~np.isnan(medians) & (genes != ""))
    kept = kept[np.argsort(first[kept])]  # in the order of the dataset
    special = SPECIAL[style]
    aliases = {others[first[i]].upper(): str(genes[i]) for i in kept if others[first[i]]} if others else {}
    return GeneVocab(
        genes=tuple(genes[kept].tolist()),
        ids=np.arange(len(special), len(special) + len(kept), dtype=np.int64),
        special=special,
        kind="ensembl" if names is ensembl else "symbol",
        aliases={alias: gene for alias, gene in aliases.items() if alias not in set(genes[kept])},
        values={"median": medians[kept]},
    )


def _summed(counts: sparse.csr_matrix, gene_of: NDArray[np.integer], n_genes: int) -> sparse.csr_matrix:
    """Sum the columns of one gene."""
    n = counts.shape[1]
    return counts @ sparse.csr_matrix((np.ones(n), (np.arange(n), gene_of)), shape=(n, n_genes))


def _median_of_detected(counts: sparse.csr_matrix) -> NDArray[np.float64]:
    """Take the median of counts per 10,000 over the cells that have a gene, (G,); NaN where none has it."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.csc_matrix(sparse.diags(TARGET_SUM / np.where(totals > 0, totals, 1)) @ counts)
    scaled.eliminate_zeros()
    columns = [scaled.data[start:stop] for start, stop in zip(scaled.indptr, scaled.indptr[1:], strict=False)]
    return np.array([np.median(values) if len(values) else np.nan for values in columns])
