"""Attention, normalization by batches of cells, decoders, vectors of genes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from scviz.models.scgpt.config import tiny
from scviz.models.scgpt.model import ScGPT
from scviz.models.scgpt.network import DomainNorm, Network, attended_in_generation, genes_only
from tests.models.cells import planted_cells


@pytest.fixture(scope="module")
def model() -> ScGPT:
    torch.manual_seed(0)
    return ScGPT.untrained(planted_cells(), "tiny").eval()


def test_generated_genes_attend_to_known_ones_and_to_themselves() -> None:
    known = torch.tensor([[True, True, False]])
    assert attended_in_generation(known, 2)[0, 0].int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_a_generated_gene_depends_on_no_other_generated_gene(model: ScGPT) -> None:
    network = model.network
    known_ids, mask = torch.tensor([[model.vocab.special["<cls>"], 3, 4]]), torch.ones(1, 3, dtype=torch.bool)
    with torch.no_grad():
        known = network.inputs(known_ids, torch.tensor([[-2.0, 5.0, 9.0]]), mask)
        alone = network.generate(known, mask, torch.tensor([[7]]))
        among = network.generate(known, mask, torch.tensor([[8, 7, 9]]))
        encoded = network(known_ids, torch.tensor([[-2.0, 5.0, 9.0]]), mask)
    np.testing.assert_allclose(alone[:, 3], among[:, 4], atol=1e-6)
    np.testing.assert_allclose(among[:, :3], encoded, atol=1e-6)


def test_cells_have_length_one(model: ScGPT) -> None:
    np.testing.assert_allclose(np.linalg.norm(model.embed(planted_cells()), axis=1), 1, rtol=1e-5)


def test_values_above_512_are_read_as_512(model: ScGPT) -> None:
    encode = model.network.value_encoder
    values = torch.tensor([[512.0, 9999.0, 511.0]])
    with torch.no_grad():
        first, second, third = encode(values)[0]
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_attention_is_a_share_of_real_tokens(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells()[:4])
    weights = model.attention(tokens)
    np.testing.assert_allclose(weights.sum(axis=2)[tokens.mask], 1, rtol=1e-5)
    assert not weights.sum(axis=2)[~tokens.mask].any()
    assert not weights.sum(axis=1)[~tokens.mask].any()


def test_raw_scores_become_the_shares_of_attention(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells()[:1])
    scores = torch.as_tensor(model.attention_scores(tokens))
    shares = (scores / (model.config.width / model.config.n_heads) ** 0.5).softmax(dim=-1).mean(dim=1)
    np.testing.assert_allclose(model.attention(tokens), shares, atol=1e-6)


def test_between_chosen_genes_those_that_are_not_expressed_are_read_too(model: ScGPT) -> None:
    adata = planted_cells()[:3]
    columns = np.array([1, 4, 7, 9])
    cells = list(model.gene_attention(adata, columns))
    assert len(cells) == 3
    for cell in cells:
        assert cell.scores.shape == (model.config.n_heads, 5, 5)
        assert cell.places.tolist() == [-1, 0, 1, 2, 3]


def test_the_vector_of_a_gene_is_normalized(model: ScGPT) -> None:
    vectors = model.gene_embeddings()
    np.testing.assert_allclose(vectors.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(vectors.std(axis=1), 1, rtol=1e-2)


def test_context_vectors_are_means_over_the_cells_that_express_a_gene(model: ScGPT) -> None:
    adata = planted_cells()[:6].copy()
    tokens = model.tokenize(adata)
    with torch.no_grad():
        hidden = model(tokens).tokens.numpy()
    gene = model.vocab.genes[0]
    at = tokens.gene_ids == model.vocab.ids[0]
    got = model.context_gene_embeddings(adata, [gene, "unheard-of", model.vocab.genes[1]])
    np.testing.assert_allclose(got[0], hidden[at].mean(axis=0), atol=1e-5)
    assert np.isnan(got[1]).all()


def test_genes_only_leaves_cls_out() -> None:
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert genes_only(mask).tolist() == [[False, True, False], [False, False, False]]


def test_each_domain_is_normalized_by_its_own_numbers_and_an_unknown_one_by_those_of_all() -> None:
    norm = DomainNorm(2, 2).eval()
    norm.bns[0].running_mean.fill_(1.0)
    norm.bns[1].running_mean.fill_(3.0)
    norm.bns[1].running_var.fill_(3.0)
    hidden, mask = torch.full((2, 1, 2), 5.0), torch.ones(2, 1, dtype=torch.bool)
    known = norm(hidden, mask, torch.tensor([0, 1]))
    np.testing.assert_allclose(known[:, 0, 0], [4.0, 2 / 3**0.5], rtol=1e-3)
    # both together: mean 2, variance (1 + 3) / 2 within and 1 between
    np.testing.assert_allclose(norm(hidden, mask, None)[:, 0, 0], [3 / 3**0.5] * 2, rtol=1e-3)


def test_padding_does_not_count_in_normalization() -> None:
    config = dataclasses.replace(tiny(10), input_norm="all", dropout=0.0)
    torch.manual_seed(0)
    network = Network(config).train()
    ids, values = torch.tensor([[1, 2, 3]]), torch.tensor([[1.0, 2.0, 3.0]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    wanted = network(ids, values, mask)
    padded = network(
        torch.nn.functional.pad(ids, (0, 2)),
        torch.nn.functional.pad(values, (0, 2), value=-2),
        torch.nn.functional.pad(mask, (0, 2)),
    )
    np.testing.assert_allclose(padded[:, :3].detach(), wanted.detach(), atol=1e-5)


@pytest.mark.parametrize("pool", ["cls", "avg-pool", "w-pool"])
def test_padding_changes_no_way_to_sum_a_cell_up(pool: str) -> None:
    network = Network(dataclasses.replace(tiny(10), cell_pool=pool))
    hidden, values = torch.randn(1, 3, 32), torch.tensor([[-2.0, 2.0, 3.0]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    wanted = network.cells(hidden, values, mask)
    more = torch.cat([hidden, torch.randn(1, 2, 32)], dim=1)
    pad = torch.nn.functional.pad
    got = network.cells(more, pad(values, (0, 2), value=-2), pad(mask, (0, 2)))
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_sampled_values_are_zero_as_often_as_the_decoder_says() -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny(12), zero_probability=True)
    network, draws = Network(config).eval(), torch.Generator().manual_seed(0)
    genes, cells = torch.randn(1, 9, config.width), torch.randn(1, config.width)
    with torch.no_grad():
        for decoder, given in ((network.decoder, (genes,)), (network.mvc_decoder, (genes, cells))):
            values, chance = decoder(*given), decoder.expressed(*given)
            drawn = torch.cat([decoder.sampled(*given, draws) for _ in range(400)])  # (400, 9)
            assert ((drawn == 0) | (drawn == values)).all()
            assert torch.allclose((drawn != 0).float().mean(dim=0), chance[0], atol=0.1)
