"""Vectors of cells and genes, and attention."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from scviz.foundation.batching import longest_first
from scviz.models.geneformer.config import tiny
from scviz.models.geneformer.model import Geneformer, state_vector
from scviz.models.geneformer.network import genes_only
from scviz.models.geneformer.pretraining import vocabulary
from tests.models.cells import planted_cells


@pytest.fixture(scope="module", params=["v1", "v2"])
def model(request: pytest.FixtureRequest) -> Geneformer:
    torch.manual_seed(0)
    vocab = vocabulary(planted_cells(), style=request.param)
    return Geneformer(tiny(len(vocab) + len(vocab.special)), vocab).eval()


def test_v1_reads_the_mean_over_genes_and_v2_its_first_token(model: Geneformer) -> None:
    assert model.cell_mode == ("cls" if model.special_tokens else "cell")


def test_asking_for_cls_without_such_a_token_is_an_error(model: Geneformer) -> None:
    tokens = model.tokenize(planted_cells()[:2])
    if model.special_tokens:
        model.cell_vectors(tokens, layer=0, mode="cls")
    else:
        with pytest.raises(ValueError, match="no <cls>"):
            model.cell_vectors(tokens, layer=0, mode="cls")


def test_embedding_from_the_second_to_last_layer_runs_no_later_one(model: Geneformer) -> None:
    calls = []
    layers = model.network.lm.bert.encoder.layer
    hooks = [layer.register_forward_hook(lambda *_, k=k: calls.append(k)) for k, layer in enumerate(layers)]
    model.embed(planted_cells()[:2].copy())
    for hook in hooks:
        hook.remove()
    assert calls == [0]


def test_a_configuration_may_embed_from_the_last_layer(model: Geneformer) -> None:
    last = Geneformer(dataclasses.replace(model.config, emb_layer=0, emb_mode="cell"), model.vocab)
    last.load_state_dict(model.state_dict())
    tokens = model.tokenize(planted_cells()[:5])
    with torch.no_grad():
        wanted = model.cell_vectors(tokens, layer=0, mode="cell")
        np.testing.assert_allclose(last.eval().encode_cells(tokens), wanted, atol=1e-6)


def test_genes_only_leaves_special_tokens_out() -> None:
    mask = torch.tensor([[True, True, True, True], [True, True, True, False]])
    assert genes_only(mask, special_tokens=True).tolist() == [
        [False, True, True, False],
        [False, True, False, False],
    ]
    assert genes_only(mask, special_tokens=False) is mask


def test_a_gene_in_its_context_is_its_mean_over_the_cells_that_hold_it(model: Geneformer) -> None:
    adata = planted_cells()
    gene = "ENSG00000000003"
    token = model.vocab.ids[model.vocab.genes.index(gene)]
    tokens = model.tokenize(adata)
    with torch.no_grad():
        ids, mask = torch.as_tensor(tokens.gene_ids), torch.as_tensor(tokens.mask)
        hidden = model.network.hidden_state(ids, mask, model.config.n_layers - 1)
    wanted = hidden[ids == int(token)].mean(dim=0)
    found = model.context_gene_embeddings(adata, [gene, "ENSG99999999999"])
    np.testing.assert_allclose(found[0], wanted, atol=1e-5)
    assert np.isnan(found[1]).all()


def test_attention_sums_to_one_over_real_tokens(model: Geneformer) -> None:
    tokens = model.tokenize(planted_cells())
    tokens = tokens.take(longest_first(tokens.lengths())[[0, -1]])
    attention = model.attention(tokens)
    np.testing.assert_allclose(attention.sum(axis=2), tokens.mask.astype(float), atol=1e-5)
    assert not attention[~tokens.mask].any()


def test_states_are_summarized_without_empty_cells() -> None:
    cells = np.array([[1.0, 8.0], [np.nan, np.nan], [2.0, 2.0], [6.0, 6.0], [7.0, 4.0]])
    assert state_vector(cells, "mean").tolist() == [4.0, 5.0]
    assert state_vector(cells, "median").tolist() == [4.0, 5.0]
    assert state_vector(cells, "lower_median").tolist() == [2.0, 4.0]


def test_copies_of_a_cell_are_encoded_like_any_sentences(model: Geneformer) -> None:
    tokens = model.tokenize(planted_cells()[:6])
    gene_ids, mask = torch.as_tensor(tokens.gene_ids), torch.as_tensor(tokens.mask)
    assert not mask.all()
    with torch.inference_mode():
        for layer in range(model.config.n_layers + 1):
            expected = model.network.hidden_state(gene_ids, mask, layer)
            found = model.network.hidden_state_of_copies(gene_ids, mask, layer)
            torch.testing.assert_close(found[mask], expected[mask])
