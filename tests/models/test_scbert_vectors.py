"""The Performer, vectors of cells and genes, and attention."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from scviz.errors import UnsupportedTaskError
from scviz.foundation.tokens import Tokens
from scviz.models.scbert.config import tiny
from scviz.models.scbert.model import ScBert
from scviz.models.scbert.network import Attention, TypeHead
from scviz.models.scbert.tokenizer import gene_list
from tests.models.cells import planted_cells


@pytest.fixture(scope="module")
def model() -> ScBert:
    torch.manual_seed(0)
    return ScBert.untrained(planted_cells(), "tiny").eval()


def twin(model: ScBert, **changes: object) -> ScBert:
    """Return a model with the same weights and another configuration."""
    other = ScBert(dataclasses.replace(model.config, **changes), model.vocab)
    other.load_state_dict(model.state_dict())
    return other.eval()


def sharper(model: ScBert) -> ScBert:
    """Return a model whose attention differs more between tokens, so that the largest exponent matters."""
    other = twin(model)
    with torch.no_grad():
        for attention, _ in other.network.performer.layers():
            attention.fn.to_q.weight *= 2
            attention.fn.to_k.weight *= 2
    return other


def padded(tokens: Tokens, n: int) -> Tokens:
    """Append n places that are no tokens but look like some."""
    width = ((0, 0), (0, n))
    return Tokens(
        np.pad(tokens.gene_ids, width, constant_values=3),
        np.pad(tokens.values, width, constant_values=5),
        np.pad(tokens.mask, width, constant_values=False),
    )


def test_many_random_features_come_near_the_softmax() -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny(30), n_features=4000)
    attention, hidden = Attention(config), 0.7 * torch.randn(2, 31, config.width)
    with torch.no_grad():
        queries, keys = attention.features(hidden, None)
        weights = queries @ keys.transpose(2, 3)
        weights /= weights.sum(dim=3, keepdim=True)
        q, k = (
            project(hidden).unflatten(-1, (2, 8)).transpose(1, 2)
            for project in (attention.to_q, attention.to_k)
        )
        exact = (q @ k.transpose(2, 3) / 8**0.5).softmax(dim=3)
    assert np.corrcoef(weights.ravel(), exact.ravel())[0, 1] > 0.9
    assert exact.max() > 2 * exact.min()


def test_places_that_are_no_tokens_change_nothing(model: ScBert) -> None:
    tokens = sharper(model).tokenize(planted_cells()[:4])
    with torch.no_grad():
        alone, more = sharper(model)(tokens), sharper(model)(padded(tokens, 7))
    np.testing.assert_allclose(more.cells, alone.cells, atol=1e-5)
    np.testing.assert_allclose(more.tokens[:, :-7], alone.tokens, atol=1e-5)
    assert not more.tokens[:, -7:].any()


def test_a_cell_does_not_depend_on_others_beside_it_but_as_published_it_does(model: ScBert) -> None:
    ours = sharper(model)
    theirs = twin(ours, key_max="batch")
    tokens = ours.tokenize(planted_cells()[:6])
    with torch.no_grad():
        for network, depends in ((ours, False), (theirs, True)):
            together = network(tokens).tokens
            alone = torch.cat([network(tokens.take(slice(i, i + 1))).tokens for i in range(6)])
            assert ((together - alone).abs().max() > 1e-4) == depends
        single = tokens.take(slice(0, 1))
        np.testing.assert_allclose(ours(single).tokens, theirs(single).tokens, atol=1e-6)


def test_cells_are_summarized_in_three_ways(model: ScBert) -> None:
    tokens = model.tokenize(planted_cells()[:3])
    with torch.no_grad():
        hidden = model(tokens).tokens.numpy()
        vectors = {
            mode: model.cell_vectors(tokens, mode=mode).numpy() for mode in ("expressed", "all", "end")
        }
        assert np.array_equal(model.encode_cells(tokens), vectors["expressed"])
    for i, levels in enumerate(tokens.values):
        np.testing.assert_allclose(vectors["expressed"][i], hidden[i, levels > 0].mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(vectors["all"][i], hidden[i, :-1].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(vectors["end"], hidden[:, -1], atol=1e-6)


def test_a_gene_in_its_context_is_its_mean_over_cells_that_have_it(model: ScBert) -> None:
    adata = planted_cells()
    gene = model.vocab.genes[70]
    tokens = model.tokenize(adata)
    with torch.no_grad():
        hidden = model(tokens).tokens.numpy()
    has = tokens.values[:, 70] > 0
    assert 0 < has.sum() < adata.n_obs
    found = model.context_gene_embeddings(adata, [gene, "unheard-of"])
    np.testing.assert_allclose(found[0], hidden[has, 70].mean(axis=0), atol=1e-5)
    assert np.isnan(found[1]).all()


def test_a_model_without_gene_vectors_says_so(model: ScBert) -> None:
    bare = ScBert(dataclasses.replace(model.config, gene_table="none"), model.vocab)
    assert np.isfinite(bare.embed(planted_cells()[:2].copy())).all()
    with pytest.raises(UnsupportedTaskError, match="no vectors of genes"):
        bare.gene_embeddings()


def test_the_sum_of_level_and_gene_is_rounded_once() -> None:
    torch.manual_seed(0)
    model = ScBert(
        dataclasses.replace(tiny(500), gene_table="gene2vec"), gene_list([f"G{i}" for i in range(500)])
    )
    ids, bins = torch.arange(501)[None], torch.randint(6, (1, 501))
    table, levels = model.network.pos_emb.emb.weight, model.network.token_emb.weight
    got = model.network.embedding(ids, bins)
    assert got.dtype == torch.float32
    assert torch.equal(got, (levels.double()[bins] + table[ids]).float())
    assert not torch.equal(got, levels[bins] + table.float()[ids])


def test_attention_sums_to_one_over_real_tokens(model: ScBert) -> None:
    tokens = padded(model.tokenize(planted_cells()[:2]), 3)
    for weights in (model.attention(tokens), model.attention_map(tokens)):
        np.testing.assert_allclose(weights.sum(axis=2), tokens.mask.astype(float), atol=1e-4)
        assert not weights[:, :, -3:].any()


def test_attention_between_some_genes_is_a_part_of_that_between_all(model: ScBert) -> None:
    model, adata = sharper(model), planted_cells()[:3]
    columns = np.array([9, 1, 4])
    whole = model.attention(model.tokenize(adata))
    places = model.vocab.column_tokens(adata.var)[columns]
    cells = list(model.gene_attention(adata, columns))
    assert len(cells) == 3
    for cell, weights in zip(cells, whole, strict=True):
        assert cell.places.tolist() == [0, 1, 2]
        np.testing.assert_allclose(cell.scores[0], weights[np.ix_(places, places)], rtol=1e-5)


@pytest.mark.parametrize("published", [False, True])
def test_attention_sums_are_column_sums_of_the_map(model: ScBert, *, published: bool) -> None:
    tokens = padded(sharper(model).tokenize(planted_cells()[:2]), 3)
    columns = sharper(model).attention_map(tokens, published=published).sum(axis=1)
    sums = sharper(model).attention_sums(tokens, published=published)
    np.testing.assert_allclose(sums, columns / columns.sum(axis=1, keepdims=True), atol=1e-7)


def test_attention_is_what_mixes_tokens_and_as_published_another(model: ScBert) -> None:
    model = sharper(model)
    tokens = model.tokenize(planted_cells()[:1])
    ids, bins, mask = model._tensors(tokens)
    with torch.no_grad():
        attention, _ = next(model.network.performer.layers())
        hidden = model.network.embedding(ids, bins)
        values = attention.fn.to_v(attention.norm(hidden)).unflatten(-1, (2, 8)).transpose(1, 2)
        queries, keys = next(model.network.attentions(ids, bins, mask))
        mixed = attention.fn.to_out((queries @ keys.mT @ values).transpose(1, 2).flatten(2))
        np.testing.assert_allclose(mixed, attention(hidden, mask=None), atol=1e-5)
        late, _ = next(model.network.attentions(ids, bins, mask, published=True))
    assert (late - queries).abs().max() > 1e-3


def test_the_published_head_refuses_cells_with_other_tokens(model: ScBert) -> None:
    head = TypeHead(model.config, 2, pooling="published")
    with pytest.raises(ValueError, match=f"reads {len(model.vocab) + 1} tokens of a cell, not 5"):
        head(torch.zeros(1, 5, model.config.width))
