"""Vectors of cells and genes, attention, and the head."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from scviz.errors import RequestError
from scviz.foundation.weights import n_parameters
from scviz.models.scfoundation.config import published, tiny
from scviz.models.scfoundation.model import ScFoundation
from scviz.models.scfoundation.network import EncoderLayer, LinearAttention, Network, random_directions
from tests.models.cells import planted_cells


@pytest.fixture(scope="module")
def model() -> ScFoundation:
    torch.manual_seed(0)
    return ScFoundation.untrained(planted_cells(), "tiny").eval()


def test_a_cell_is_s_then_t_then_maximum_and_mean_of_genes(model: ScFoundation) -> None:
    tokens = model.tokenize(planted_cells())
    with torch.no_grad():
        encoding = model(tokens)
    width = model.config.width
    for row, n in enumerate(tokens.lengths().tolist()):
        vectors = encoding.tokens[row, :n]
        wanted = torch.cat([vectors[-1], vectors[-2], vectors[:-2].amax(dim=0), vectors[:-2].mean(dim=0)])
        assert len(wanted) == 4 * width
        torch.testing.assert_close(encoding.cells[row], wanted)


def test_a_cell_may_be_the_maximum_of_all_its_tokens(model: ScFoundation) -> None:
    shortened = ScFoundation(dataclasses.replace(model.config, pooling="max"), model.vocab).eval()
    shortened.load_state_dict(model.state_dict())
    tokens = model.tokenize(planted_cells())
    with torch.no_grad():
        encoding = shortened(tokens)
    n = int(tokens.lengths()[3])
    torch.testing.assert_close(encoding.cells[3], encoding.tokens[3, :n].amax(dim=0))


def test_another_depth_changes_the_token_t_alone_and_shares_the_weights(model: ScFoundation) -> None:
    deeper, adata = model.at_depth("t4.5"), planted_cells()
    ours, theirs = model.tokenize(adata), deeper.tokenize(adata)
    changed = ours.values != theirs.values
    assert (ours.gene_ids[changed] == model.vocab.special["<T>"]).all()
    assert (theirs.values[changed] == 4.5).all()
    assert changed.sum() == adata.n_obs
    assert next(deeper.parameters()) is next(model.parameters())
    assert model.config.target == "f1"


def test_reading_cells_deeper_moves_their_embedding(model: ScFoundation) -> None:
    adata = planted_cells()
    assert np.abs(model.at_depth("f5").embed(adata) - model.embed(adata)).max() > 1e-3


def test_what_is_no_depth_is_refused(model: ScFoundation) -> None:
    with pytest.raises(RequestError, match="'deep' is no depth"):
        model.at_depth("deep")


def test_a_gene_has_the_vector_of_its_position(model: ScFoundation) -> None:
    assert np.array_equal(
        model.gene_embeddings()[7], model.network.position_embedding.weight[7].detach().numpy()
    )


def test_a_gene_in_its_context_is_its_mean_over_cells_expressed_or_not(model: ScFoundation) -> None:
    adata = planted_cells()
    genes = [model.vocab.genes[3], "unheard-of", model.vocab.genes[150]]
    with torch.no_grad():
        everywhere = model.gene_context(model.tokenize(adata))
    found = model.context_gene_embeddings(adata, genes)
    assert found.shape == (3, model.config.decoder_width)
    np.testing.assert_allclose(found[[0, 2]], everywhere[:, [3, 150]].mean(dim=0), atol=1e-5)
    assert np.isnan(found[1]).all()


def test_genes_in_context_read_cells_at_the_depth_that_they_have(model: ScFoundation) -> None:
    adata, gene = planted_cells(), model.vocab.genes[:1]
    wanted = model.context_gene_embeddings(adata, gene)
    np.testing.assert_array_equal(model.at_depth("t6").context_gene_embeddings(adata, gene), wanted)


def test_a_cell_does_not_change_another_unless_the_authors_way_is_asked_for() -> None:
    torch.manual_seed(0)
    part, hidden = LinearAttention(tiny(9)), torch.randn(2, 12, 16)
    hidden[1] *= 30
    alone = part(hidden[:1])
    torch.testing.assert_close(part(hidden)[:1], alone, atol=1e-6, rtol=0)
    torch.testing.assert_close(part(hidden[:1], across_cells=True), alone, atol=1e-6, rtol=0)
    assert (part(hidden, across_cells=True)[:1] - alone).abs().max() > 1e-2


def test_expression_is_predicted_for_every_gene(model: ScFoundation) -> None:
    tokens = model.tokenize(planted_cells())
    with torch.no_grad():
        predicted = model.predicted_expression(tokens)
        wanted = model.network.to_expression(model.gene_context(tokens))[..., 0]
    assert predicted.shape == (60, len(model.vocab))
    torch.testing.assert_close(predicted, wanted)


def test_attention_sums_to_one_over_real_tokens(model: ScFoundation) -> None:
    tokens = model.tokenize(planted_cells())
    tokens = tokens.take(np.array([tokens.lengths().argmax(), tokens.lengths().argmin()]))
    attention = model.attention(tokens)
    np.testing.assert_allclose(attention.sum(axis=2), tokens.mask.astype(float), atol=1e-5)
    assert not attention[~tokens.mask].any()


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_an_encoder_layer_is_that_of_torch(mode: str) -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny(9), dropout=0.0)
    ours, theirs = EncoderLayer(config), nn.TransformerEncoderLayer(32, 2, 128, dropout=0.0, batch_first=True)
    names = {"out": "self_attn.out_proj", "widen": "linear1", "narrow": "linear2"}
    weights = theirs.state_dict()
    for kind in ("weight", "bias"):
        weights[f"qkv.{kind}"] = weights.pop(f"self_attn.in_proj_{kind}")
        weights |= {f"{new}.{kind}": weights.pop(f"{old}.{kind}") for new, old in names.items()}
    ours.load_state_dict(weights)
    hidden, mask = torch.randn(3, 7, 32), torch.arange(7) < torch.tensor([[7], [4], [1]])
    wanted = getattr(theirs, mode)()(hidden, src_key_padding_mask=~mask)
    found = getattr(ours, mode)()(hidden, mask[:, None, None, :])
    torch.testing.assert_close(found[mask], wanted[mask], atol=1e-5, rtol=0)


def test_linear_attention_with_many_features_comes_near_attention() -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny(9), n_decoder_heads=2, head_width=8)
    part, hidden = LinearAttention(config), torch.randn(2, 12, config.decoder_width)
    part.projection = random_directions(40_000, 8)
    query, key, value = (
        linear(hidden).unflatten(2, (2, 8)).transpose(1, 2) for linear in (part.query, part.key, part.value)
    )
    exact = part.out(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
    no_mixing = part.out(value.transpose(1, 2).flatten(2))
    error = (part(hidden) - exact).norm() / (no_mixing - exact).norm()
    assert error < 0.03


def test_random_directions_are_orthogonal_in_blocks_and_not_of_one_length() -> None:
    torch.manual_seed(0)
    rows = random_directions(20, 8)
    products = rows[:8] @ rows[:8].T
    torch.testing.assert_close(products, products.diagonal().diag(), atol=1e-4, rtol=0)
    assert rows.shape == (20, 8)
    assert rows.norm(dim=1).std() > 0.1


def test_the_published_size_has_its_published_number_of_weights() -> None:
    with torch.device("meta"):
        network = Network(published())
    assert n_parameters(network) == 119_252_285
    assert sum(buffer.numel() for buffer in network.buffers()) == 102_145
    assert len(network.state_dict()) == 265


def test_a_head_reads_genes_and_not_depth(model: ScFoundation) -> None:
    tokens = model.tokenize(planted_cells()[:4])
    with torch.no_grad():
        encoding = model(tokens)
    genes = encoding.tokens[0, : int(tokens.lengths()[0]) - 2]
    highest, mean = (model.classifier(3, pooling=way).select(encoding)[0] for way in ("published", "mean"))
    torch.testing.assert_close(highest, genes.amax(dim=0))
    torch.testing.assert_close(mean, genes.mean(dim=0))


def test_a_head_can_be_trained_on_a_batch_of_one_cell(model: ScFoundation) -> None:
    head = model.classifier(3).train()
    selected = torch.randn(8, model.config.width)
    head(selected)
    seen = head.norm.running_mean.clone()
    assert head(selected[:1]).isfinite().all()
    assert torch.equal(head.norm.running_mean, seen)


def test_only_the_second_to_last_layer_stays_trainable_for_annotation() -> None:
    network = Network(dataclasses.replace(tiny(9), n_layers=3))
    network.freeze_for_annotation()
    trained = {name for name, weights in network.named_parameters() if weights.requires_grad}
    assert trained == {name for name, _ in network.named_parameters() if name.startswith("encoder_layers.1.")}


def test_padding_as_published_is_a_token_like_others(model: ScFoundation) -> None:
    tokens = model.tokenize(planted_cells())
    with torch.no_grad():
        ours, theirs = model(tokens), model.published_encoding(tokens)
    assert theirs.mask.all()
    torch.testing.assert_close(theirs.tokens * ours.mask[..., None], ours.tokens, atol=1e-5, rtol=0)
    assert theirs.tokens[~ours.mask].abs().max() > 0.1
