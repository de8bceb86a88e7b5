"""Thinning cells out, hiding genes, and gene lists from a corpus."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from scviz.errors import GeneMatchError
from scviz.foundation.tokens import Tokens
from scviz.models.scfoundation.config import MASK
from scviz.models.scfoundation.model import ScFoundation
from scviz.models.scfoundation.pretraining import (
    HIDDEN_EXPRESSED,
    HIDDEN_ZEROS,
    counts_of,
    hide_genes,
    thin_out,
    vocabulary,
)
from scviz.models.scfoundation.tokenizer import TargetDepth, profiles
from tests.models.cells import planted_cells


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def many_cells(reads: float) -> torch.Tensor:
    """Return 500 cells x 200 genes with half of the genes expressed; `reads` per expressed gene."""
    counts = torch.poisson(torch.full((500, 200), reads), generator=seeded()) + 1
    counts[:, 100:] = 0
    return counts


@given(st.lists(st.integers(0, 100_000), min_size=5, max_size=5).filter(lambda row: sum(row) > 1))
def test_counts_are_recovered_exactly_from_tokens(row: list[int]) -> None:
    counts = sparse.csr_matrix(np.array([row, [1, 1, 0, 0, 0]], dtype=np.float64))
    tokens = profiles(counts, TargetDepth.parse("t4")).tokens(depth_tokens=True)
    assert counts_of(tokens, 5).tolist() == counts.toarray().tolist()


def test_half_of_the_deep_cells_are_thinned_out_to_half_their_reads_on_average() -> None:
    counts = many_cells(50.0)
    left = thin_out(counts, seeded())
    share = left.sum(dim=1) / counts.sum(dim=1)
    assert (left <= counts).all()
    thinned = share < 1
    assert thinned.float().mean() == pytest.approx(0.5, abs=0.06)
    assert share[thinned].mean() == pytest.approx(0.5, abs=0.04)
    assert share[thinned].var() == pytest.approx(0.05, abs=0.01)  # that of Beta(2, 2)
    assert torch.equal(left[~thinned], counts[~thinned])


def test_cells_of_fewer_than_a_thousand_reads_stay_whole() -> None:
    counts = many_cells(5.0)
    assert counts.sum(dim=1).max() < 1000
    assert torch.equal(thin_out(counts, seeded()), counts)


def test_three_in_ten_expressed_genes_are_hidden_and_three_in_a_hundred_others() -> None:
    hidden = hide_genes(many_cells(5.0), seeded())
    assert hidden.asked[:, :100].float().mean() == pytest.approx(0.3, abs=0.01)
    assert hidden.asked[:, 100:].float().mean() == pytest.approx(0.03, abs=0.005)


def test_most_hidden_genes_are_masked_some_take_another_value_and_some_stay() -> None:
    hidden = hide_genes(many_cells(5.0), seeded())
    shown = hidden.rows[:, :-2]
    zeros = hidden.asked & (hidden.truth == 0)
    assert (shown == MASK)[hidden.asked].float().mean() == pytest.approx(0.8, abs=0.01)
    assert (shown == 0)[zeros].float().mean() == pytest.approx(0.1, abs=0.03)
    others = shown[zeros & (shown != MASK) & (shown != 0)]
    assert len(others) / zeros.sum() == pytest.approx(0.1, abs=0.03)
    assert torch.isin(others, hidden.truth).all()
    assert torch.equal(shown[~hidden.asked], hidden.truth[~hidden.asked])


def test_t_tells_the_reads_of_the_whole_cell_and_s_those_that_are_left() -> None:
    counts = many_cells(50.0)
    left, hidden = thin_out(counts, seeded()), hide_genes(counts, seeded())
    torch.testing.assert_close(hidden.rows[:, -2], counts.sum(dim=1).log10())
    torch.testing.assert_close(hidden.rows[:, -1], left.sum(dim=1).log10())
    torch.testing.assert_close(hidden.truth.expm1().sum(dim=1), torch.full((500,), 10_000.0))
    whole = torch.log1p(10_000 * counts / counts.sum(dim=1, keepdim=True))
    torch.testing.assert_close(hidden.truth, whole)


def test_the_encoder_sees_no_hidden_gene() -> None:
    hidden = hide_genes(many_cells(5.0), seeded())
    tokens = hidden.tokens()
    seen = torch.zeros(500, 203, dtype=torch.bool).scatter(1, torch.as_tensor(tokens.gene_ids), value=True)
    shown = hidden.rows[:, :-2]
    assert torch.equal(seen[:, :200], (shown > 0) & (shown != MASK))
    assert seen[:, 200:202].all()


def test_empty_cells_teach_nothing() -> None:
    model = ScFoundation.untrained(planted_cells(), "tiny")
    shape = (2, 3)
    n = model.config.n_genes
    empty = Tokens(np.full(shape, n + 2), np.full(shape, 103, dtype=np.float32), np.zeros(shape, dtype=bool))
    loss = model.pretraining_loss(empty, seeded())
    loss.backward()
    assert loss.item() == 0


def test_a_model_that_reads_no_depth_cannot_be_pretrained() -> None:
    model = ScFoundation.untrained(planted_cells(), "tiny")
    model.config = dataclasses.replace(model.config, depth_tokens=False)
    with pytest.raises(ValueError, match="needs T and S"):
        model.pretraining_loss(model.tokenize(planted_cells()), seeded())


def test_a_gene_list_holds_what_a_corpus_detects_by_symbol() -> None:
    adata = AnnData(
        np.array([[1, 0, 2, 3, 1]], dtype=np.float32),
        var=pd.DataFrame({"symbol": ["CD4", "CD8A", "", "LYZ", "CD4"]}, index=["a", "b", "1", "c", "d"]),
    )
    vocab = vocabulary(adata)
    assert vocab.genes[:1] == ("CD4",)
    assert "CD8A" not in vocab.genes
    assert vocab.special["<T>"] == len(vocab.genes)
    assert vocab.kind == "symbol"


def test_ensembl_ids_name_genes_where_there_are_no_symbols() -> None:
    ids = [f"ENSG{i:011d}" for i in range(3)]
    vocab = vocabulary(AnnData(np.ones((1, 3), dtype=np.float32), var=pd.DataFrame(index=ids)))
    assert vocab.genes == tuple(ids)
    assert vocab.kind == "ensembl"


def test_a_corpus_without_counts_is_refused() -> None:
    adata = AnnData(np.zeros((2, 2), dtype=np.float32), var=pd.DataFrame(index=["A", "B"]))
    with pytest.raises(GeneMatchError, match="No gene"):
        vocabulary(adata)


def test_a_few_updates_restore_genes_better_than_the_best_guess_that_reads_no_cell() -> None:
    counts = np.random.default_rng(0).poisson(6.0, size=(40, 40)).astype(np.float32) + 1
    counts[:20, :20] = counts[20:, 20:] = 0  # two types of cells, with twenty genes of their own
    adata = AnnData(counts, var=pd.DataFrame(index=[f"GENE{i}" for i in range(40)]))
    torch.manual_seed(0)
    model = ScFoundation.untrained(adata, "tiny").train()
    tokens = model.tokenize(adata)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(160):
        loss = model.pretraining_loss(tokens, seeded(step))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    hidden = hide_genes(counts_of(tokens, model.config.n_genes), seeded(1000))
    chance = torch.where(hidden.truth > 0, HIDDEN_EXPRESSED, HIDDEN_ZEROS)  # of being asked for
    guess = (hidden.truth * chance).sum(dim=0) / chance.sum(dim=0)  # (G,)
    baseline = (hidden.truth - guess)[hidden.asked].square().mean()
    with torch.no_grad():
        assert model.eval().pretraining_loss(tokens, seeded(1000)) < 0.3 * baseline
