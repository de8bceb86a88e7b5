"""Hiding levels, gene lists of a corpus, and the random features while training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData

from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.tokens import Tokens
from scviz.models.scbert.config import tiny
from scviz.models.scbert.model import ScBert
from scviz.models.scbert.network import Performer
from scviz.models.scbert.pretraining import mask_bins, read_corpus
from tests.models.cells import planted_cells

HIDDEN = 6


def test_fifteen_percent_of_levels_above_zero_are_asked_and_nine_in_ten_hidden() -> None:
    bins = torch.tensor([0, 1, 2, 3]).repeat(400, 100)  # 300 of 400 above 0
    masked = mask_bins(bins, HIDDEN, torch.Generator().manual_seed(0))
    asked = masked.targets != HIDDEN
    assert (asked.sum(dim=1) == 45).all()
    assert not asked[bins == 0].any()
    assert torch.equal(masked.targets[asked], bins[asked])
    assert (masked.bins == HIDDEN)[asked].float().mean() == pytest.approx(0.9, abs=0.01)
    shown = masked.bins != HIDDEN
    assert torch.equal(masked.bins[shown], bins[shown])


def test_a_part_of_a_level_is_rounded_up() -> None:
    bins = torch.tensor([[5] + [0] * 20, [1] * 7 + [0] * 14, [0] * 21])
    masked = mask_bins(bins, HIDDEN, torch.Generator().manual_seed(0))
    assert (masked.targets != HIDDEN).sum(dim=1).tolist() == [1, 2, 0]


def test_a_batch_without_a_level_above_zero_has_no_loss() -> None:
    model = ScBert.untrained(planted_cells(), "tiny")
    empty = Tokens(
        np.zeros((2, 3), dtype=np.int64), np.zeros((2, 3), dtype=np.float32), np.ones((2, 3), dtype=bool)
    )
    loss = model.pretraining_loss(empty, torch.Generator())
    loss.backward()
    assert loss.item() == 0


def test_a_corpus_lists_its_detected_genes_in_order() -> None:
    adata = AnnData(
        np.array([[1, 0, 2, 4], [1, 0, 0, 0]], dtype=np.float32),
        var=pd.DataFrame({"gene_ids": [f"ENSG{i:011d}" for i in (7, 3, 5, 9)]}, index=["ZYX", "B", "A", "C"]),
    )
    corpus = read_corpus(adata)
    assert corpus.vocab.genes == ("ZYX", "A", "C")
    assert corpus.vocab.ids.tolist() == [0, 1, 2]
    assert corpus.vocab.special == {"<end>": 3}
    assert corpus.vocab.kind == "symbol"
    assert corpus.vocab.aliases["ENSG00000000005"] == "A"


def test_ensembl_ids_name_genes_where_symbols_are_lacking() -> None:
    names = [f"ENSG{i:011d}" for i in range(3)]
    adata = AnnData(np.ones((1, 3), dtype=np.float32), var=pd.DataFrame(index=names))
    assert read_corpus(adata).vocab.genes == tuple(names)
    assert read_corpus(adata).vocab.kind == "ensembl"


def test_a_shape_may_keep_only_the_most_variable_genes_in_their_order() -> None:
    adata = planted_cells()
    corpus = read_corpus(adata, most=60)
    at = [adata.var_names.get_loc(gene) for gene in corpus.vocab.genes]
    assert len(at) == 60
    assert at == sorted(at)
    assert sum(i < 60 for i in at) > 25, at  # the planted types differ in the first 60 of 200 genes


@pytest.mark.parametrize("most", [None, 60])
def test_levels_of_a_corpus_spread_out_however_few_its_genes(most: int | None) -> None:
    adata = planted_cells()
    corpus = read_corpus(adata, most=most)
    genes = adata[:, list(corpus.vocab.genes)]
    assert corpus.target_sum == 4 * np.median(genes.X.toarray().sum(axis=1))
    model = ScBert(dataclasses.replace(tiny(len(corpus.vocab)), target_sum=corpus.target_sum), corpus.vocab)
    levels = model.tokenize(adata).values
    assert set(np.unique(levels)) == {0, 1, 2, 3, 4, 5}


def test_a_deep_corpus_is_scaled_as_the_published_one() -> None:
    adata = planted_cells()
    adata.X *= 1000
    assert read_corpus(adata).target_sum == 10_000


def test_a_corpus_without_counts_is_refused() -> None:
    with pytest.raises(GeneMatchError, match="No gene"):
        read_corpus(AnnData(np.zeros((2, 2), dtype=np.float32), var=pd.DataFrame(index=["A", "B"])))


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(RequestError, match="no configuration 'huge'") as error:
        ScBert.untrained(planted_cells(), "huge")
    assert "tiny, demo, panglao" in error.value.hint


def test_a_demo_checkpoint_is_small(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(1.0, size=(20, 5000)).astype(np.float32)
    adata = AnnData(counts, var=pd.DataFrame(index=[f"GENE{i}" for i in range(5000)]))
    ScBert.untrained(adata, "demo").save(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 6e6


def test_random_features_are_drawn_anew_while_training_and_never_else() -> None:
    torch.manual_seed(0)
    performer = Performer(dataclasses.replace(tiny(4), redraw_every=2))
    hidden = torch.zeros(1, 5, 32)

    def features() -> list[torch.Tensor]:
        return [attention.fn.fast_attention.projection_matrix.clone() for attention, _ in performer.layers()]

    first, counts = features(), []
    for _ in range(3):
        assert all(map(torch.equal, features(), first))
        performer(hidden, None)
        counts.append(int(performer.calls_since_last_redraw))
    assert counts == [1, 2, 0]
    drawn = features()
    assert not any(map(torch.equal, drawn, first))
    performer.eval()
    for _ in range(3):
        performer(hidden, None)
    assert all(map(torch.equal, features(), drawn))


def test_a_few_updates_lower_the_loss() -> None:
    adata = planted_cells()[:20].copy()
    torch.manual_seed(0)
    model = ScBert.untrained(adata, "tiny").train()
    tokens = model.tokenize(adata)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for step in range(25):
        loss = model.pretraining_loss(tokens, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    bins = tokens.values[tokens.values > 0].astype(int)
    share = np.bincount(bins) / len(bins)
    guess = -(share[share > 0] * np.log(share[share > 0])).sum()  # by how common each level is
    assert np.mean(losses[-5:]) < guess - 0.1
