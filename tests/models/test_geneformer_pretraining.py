"""Hiding genes, and vocabularies from a corpus."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData

from scviz.errors import GeneMatchError
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.pretraining import IGNORED, mask_tokens, vocabulary
from tests.models.cells import planted_cells

VOCAB = GeneVocab(
    genes=tuple(f"ENSG{i:011d}" for i in range(50)),
    ids=np.arange(4, 54),
    special={"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3},
    kind="ensembl",
)


def sentences() -> tuple[torch.Tensor, torch.Tensor]:
    """Return 2,000 sentences of 52 tokens, of which two are special and ten are padding."""
    genes = torch.arange(4, 44).expand(2000, 40)
    ends = [torch.full((2000, 1), token) for token in (2, 3)]
    ids = torch.cat([ends[0], genes, ends[1], torch.zeros(2000, 10, dtype=torch.long)], dim=1)
    return ids, ids > 0


def test_fifteen_percent_of_genes_are_hidden_most_of_them_as_mask() -> None:
    ids, mask = sentences()
    masked = mask_tokens(ids, mask, vocab=VOCAB, generator=torch.Generator().manual_seed(0))
    asked = masked.targets != IGNORED
    assert asked[:, 1:41].float().mean() == pytest.approx(0.15, abs=0.005)
    assert (masked.gene_ids == 1)[asked].float().mean() == pytest.approx(0.8, abs=0.01)
    replaced = (masked.gene_ids != 1) & (masked.gene_ids != ids)
    assert replaced[asked].float().mean() == pytest.approx(0.1 * 49 / 50, abs=0.01)
    assert torch.equal(masked.targets[asked], ids[asked])
    assert torch.equal(masked.gene_ids[~asked], ids[~asked])


def test_special_tokens_are_neither_hidden_nor_drawn() -> None:
    ids, mask = sentences()
    masked = mask_tokens(ids, mask, vocab=VOCAB, generator=torch.Generator().manual_seed(0))
    assert not (masked.targets[ids < 4] != IGNORED).any()
    changed = masked.gene_ids != ids
    assert not torch.isin(masked.gene_ids[changed], torch.tensor([0, 2, 3])).any()


def test_as_published_special_tokens_are_hidden_and_drawn_but_padding_is_not_hidden() -> None:
    ids, mask = sentences()
    masked = mask_tokens(ids, mask, vocab=VOCAB, generator=torch.Generator().manual_seed(0), published=True)
    asked = masked.targets != IGNORED
    assert asked[:, 0].float().mean() == pytest.approx(0.15, abs=0.03)
    assert not asked[:, 42:].any()
    assert (masked.gene_ids[asked & (masked.gene_ids != ids)] == 0).any()


def test_a_batch_in_which_nothing_is_hidden_has_no_loss() -> None:
    model = Geneformer.untrained(planted_cells(), "tiny")
    empty = Tokens(np.zeros((2, 3), dtype=np.int64), None, np.zeros((2, 3), dtype=bool))
    loss = model.pretraining_loss(empty, torch.Generator())
    loss.backward()
    assert loss.item() == 0


def test_medians_are_those_of_the_cells_that_have_a_gene() -> None:
    # counts per 10,000: cell 1: 5000, 5000; cell 2: 2500, 0, 7500; cell 3: nothing
    adata = AnnData(
        np.array([[1, 1, 0, 0], [1, 0, 3, 0], [0, 0, 0, 0]], dtype=np.float32),
        var=pd.DataFrame({"gene_ids": [f"ENSG{i:011d}" for i in (7, 3, 5, 9)]}, index=list("ABCD")),
    )
    vocab = vocabulary(adata)
    assert vocab.genes == ("ENSG00000000007", "ENSG00000000003", "ENSG00000000005")
    assert vocab.values["median"].tolist() == [3750.0, 5000.0, 7500.0]
    assert vocab.ids.tolist() == [2, 3, 4]
    assert vocab.kind == "ensembl"
    assert vocab.aliases == {"A": "ENSG00000000007", "B": "ENSG00000000003", "C": "ENSG00000000005"}


def test_symbols_name_genes_where_ensembl_ids_are_lacking() -> None:
    adata = AnnData(
        np.array([[1, 1, 2]], dtype=np.float32),
        var=pd.DataFrame({"gene_ids": ["ENSG00000000007", "", ""]}, index=["CD3E", "LYZ", "NKG7"]),
    )
    vocab = vocabulary(adata, style="v2")
    assert vocab.kind == "symbol"
    assert vocab.genes == ("CD3E", "LYZ", "NKG7")
    assert vocab.ids.tolist() == [4, 5, 6]
    assert vocab.aliases == {"ENSG00000000007": "CD3E"}


def test_a_corpus_without_counts_is_refused() -> None:
    adata = AnnData(np.zeros((2, 2), dtype=np.float32), var=pd.DataFrame(index=["A", "B"]))
    with pytest.raises(GeneMatchError, match="No gene"):
        vocabulary(adata)


def test_a_few_updates_lower_the_loss() -> None:
    adata = planted_cells()
    torch.manual_seed(0)
    model = Geneformer.untrained(adata, "tiny").train()
    tokens = model.tokenize(adata)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for step in range(40):
        loss = model.pretraining_loss(tokens, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.25
