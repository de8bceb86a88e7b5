"""What holds for every foundation model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from anndata import AnnData
from scipy import sparse

from scviz.errors import CheckpointError, GeneMatchError, OutOfMemoryError, UnsupportedTaskError
from scviz.foundation.classifier import CellTypeClassifier, model_name
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.models import cards, configurations, model_class
from scviz.progress import Progress
from tests.models.cells import N_TYPES, planted_cells
from tests.models.every_model import built, embedded, every_model


@every_model
def test_the_card_names_its_folder(name: str) -> None:
    assert cards()[name].name == name
    assert model_class(name).card is cards()[name]


@every_model
def test_the_card_says_what_the_loss_of_pretraining_means(name: str) -> None:
    assert "loss" in cards()[name].objective
    assert cards()[name].objective.endswith(".")


@every_model
def test_the_same_network_with_random_weights_has_other_vectors_of_genes(name: str) -> None:
    model = built(name)
    random = model.newly_initialized(1)
    assert {key: one.shape for key, one in random.state_dict().items()} == {
        key: one.shape for key, one in model.state_dict().items()
    }
    assert not np.allclose(random.gene_embeddings(), model.gene_embeddings())
    np.testing.assert_array_equal(random.gene_embeddings(), model.newly_initialized(1).gene_embeddings())


@every_model
def test_configurations_are_listed_from_small_to_large_with_their_size(name: str) -> None:
    listed = list(configurations(name).items())
    assert [key for key, _ in listed[:2]] == ["tiny", "demo"]
    layers = [int(size.split(" layers of width ")[0]) for _, size in listed]
    assert layers == sorted(layers)
    assert layers[0] < layers[-1]


@every_model
def test_tokenizing_leaves_the_cells_as_they_are(name: str) -> None:
    adata, same = planted_cells(), planted_cells()
    built(name).tokenize(adata)
    built(name).n_tokens(adata)
    assert (adata.X != same.X).nnz == 0
    assert adata.obs.equals(same.obs)
    assert adata.var.equals(same.var)
    assert not adata.uns
    assert not adata.obsm


@every_model
def test_tokens_are_counted_as_they_are_made(name: str) -> None:
    tokens = built(name).tokenize(planted_cells())
    assert built(name).n_tokens(planted_cells()).tolist() == tokens.lengths().tolist()


@every_model
def test_sparse_and_dense_counts_are_the_same_cells(name: str) -> None:
    dense = planted_cells()
    dense.X = dense.X.toarray()
    column_wise = planted_cells()
    column_wise.X = sparse.csc_matrix(column_wise.X)
    wanted = built(name).tokenize(planted_cells())
    for adata in (dense, column_wise):
        assert np.array_equal(built(name).tokenize(adata).gene_ids, wanted.gene_ids)


@every_model
@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_batch_size_does_not_matter(name: str, batch_size: int) -> None:
    vectors = built(name).embed(planted_cells(), batch_size=batch_size)
    np.testing.assert_allclose(vectors, embedded(name), atol=1e-5)


@every_model
def test_padding_does_not_matter(name: str) -> None:
    tokens = built(name).tokenize(planted_cells())
    short = int(tokens.lengths().argmin())
    with torch.no_grad():
        alone = built(name).encode_cells(tokens.take(np.array([short])))
        padded = built(name).encode_cells(tokens.take(np.array([short, int(tokens.lengths().argmax())])))
    np.testing.assert_allclose(alone[0], padded[0], atol=1e-5)


@every_model
def test_cells_come_back_in_their_order(name: str) -> None:
    order = np.random.default_rng(1).permutation(planted_cells().n_obs)
    vectors = built(name).embed(planted_cells()[order].copy())
    np.testing.assert_allclose(vectors, embedded(name)[order], atol=1e-5)


@every_model
def test_the_order_of_genes_does_not_matter(name: str) -> None:
    adata = planted_cells()
    order = np.random.default_rng(2).permutation(adata.n_vars)
    vectors = built(name).embed(adata[:, order].copy())
    np.testing.assert_allclose(vectors, embedded(name), atol=1e-5)


@every_model
def test_an_empty_cell_is_nan_and_the_others_are_not(name: str) -> None:
    adata = planted_cells()
    counts = adata.X.toarray()
    counts[5] = 0
    adata.X = sparse.csr_matrix(counts)
    vectors = built(name).embed(adata)
    assert np.isnan(vectors[5]).all()
    assert np.isfinite(np.delete(vectors, 5, axis=0)).all()


@every_model
def test_forward_and_encode_cells_agree(name: str) -> None:
    tokens = built(name).tokenize(planted_cells()[:9])
    with torch.no_grad():
        encoding = built(name)(tokens)
        cells = built(name).encode_cells(tokens)
    np.testing.assert_allclose(encoding.cells, cells, atol=1e-5)
    assert encoding.tokens.shape[:2] == tokens.mask.shape
    assert not encoding.tokens[~encoding.mask].any()


@every_model
def test_a_saved_model_embeds_the_same(name: str, tmp_path: Path) -> None:
    built(name).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "vocab.json", "weights.safetensors"}
    again = model_class(name).from_checkpoint(tmp_path)
    np.testing.assert_array_equal(again.embed(planted_cells()), embedded(name))
    assert again.load_report.missing == again.load_report.unexpected == ()


@every_model
def test_a_vocabulary_in_another_order_changes_nothing(name: str, tmp_path: Path) -> None:
    built(name).save(tmp_path)
    content = json.loads((tmp_path / "vocab.json").read_text())
    order = np.random.default_rng(3).permutation(len(content["genes"]))
    for part in (content, content["values"]):
        for key, entry in part.items():
            if isinstance(entry, list):
                part[key] = [entry[i] for i in order]
    (tmp_path / "vocab.json").write_text(json.dumps(content))
    again = model_class(name).from_checkpoint(tmp_path)
    np.testing.assert_allclose(again.embed(planted_cells()), embedded(name), atol=1e-6)


@every_model
def test_a_vocabulary_with_mixed_up_genes_is_refused(name: str, tmp_path: Path) -> None:
    built(name).save(tmp_path)
    content = json.loads((tmp_path / "vocab.json").read_text())
    content["genes"] = content["genes"][::-1]
    (tmp_path / "vocab.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="not the vocabulary"):
        model_class(name).from_checkpoint(tmp_path)


@every_model
def test_half_precision_gives_finite_vectors_near_the_exact_ones(name: str) -> None:
    vectors = built(name).embed(planted_cells(), precision="bfloat16")
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    near = (vectors * embedded(name)).sum(axis=1)
    near /= np.linalg.norm(vectors, axis=1) * np.linalg.norm(embedded(name), axis=1)
    assert near.min() > 0.99


@every_model
def test_genes_have_vectors(name: str) -> None:
    vectors = built(name).gene_embeddings()
    assert len(vectors) == len(built(name).vocab)
    assert np.isfinite(vectors).all()


@every_model
def test_pretraining_moves_every_weight_that_it_uses(name: str) -> None:
    torch.manual_seed(0)
    model = model_class(name).untrained(planted_cells(), "tiny")
    loss = model.pretraining_loss(model.tokenize(planted_cells()), torch.Generator().manual_seed(0))
    loss.backward()
    assert loss.isfinite()
    moved = [p for p in model.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(moved) > 0.8 * len(list(model.parameters()))
    assert all(p.grad.isfinite().all() for p in moved)


@every_model
def test_the_pretraining_loss_depends_on_its_generator_alone(name: str) -> None:
    tokens = built(name).tokenize(planted_cells())
    losses = [
        built(name).pretraining_loss(tokens, torch.Generator().manual_seed(seed)).item() for seed in (1, 1, 2)
    ]
    assert losses[0] == losses[1] != losses[2]


@every_model
@pytest.mark.parametrize("pooling", ["mean", "published"])
def test_a_classifier_learns_planted_types_and_survives_saving(
    name: str, pooling: str, tmp_path: Path
) -> None:
    adata = planted_cells()[:30].copy()
    truth = torch.arange(adata.n_obs) % N_TYPES
    torch.manual_seed(0)
    model = model_class(name).untrained(adata, "tiny")
    types = ("type 0", "type 1", "type 2")
    classifier = CellTypeClassifier(model, model.classifier(N_TYPES, pooling=pooling), types)
    tokens = model.tokenize(adata)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=3e-3)
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(classifier(tokens), truth).backward()
        optimizer.step()
    classifier.eval().save(tmp_path)
    again = CellTypeClassifier.load(tmp_path, model_class(model_name(tmp_path)))
    with torch.no_grad():
        logits = classifier(tokens)
        assert torch.equal(again(tokens), logits)
    assert again.types == types
    assert (logits.argmax(dim=1) == truth).float().mean() > 0.9


@every_model
def test_what_its_authors_train_learns_and_nothing_else_changes(name: str) -> None:
    adata = planted_cells()[:12].copy()
    torch.manual_seed(0)
    model = model_class(name).untrained(adata, "tiny")
    head = model.classifier(N_TYPES)
    model.freeze_as_published()
    trained = [key for key, p in model.named_parameters() if p.requires_grad]
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    optimizer = torch.optim.Adam([*(p for p in model.parameters() if p.requires_grad), *head.parameters()])
    scores = CellTypeClassifier(model, head, ("a", "b", "c"))(model.tokenize(adata))
    torch.nn.functional.cross_entropy(scores, torch.arange(12) % N_TYPES).backward()
    optimizer.step()
    changed = {key for key, p in model.named_parameters() if not torch.equal(p, before[key])}
    assert changed
    assert changed <= set(trained)
    says_all = "train all" in cards()[name].fine_tuning
    assert says_all == (len(trained) == len(before))


@every_model
def test_cells_are_read_at_every_depth_of_the_card_and_else_at_none(name: str) -> None:
    depths = cards()[name].read_depths
    for depth in depths:
        vectors = built(name).at_depth(depth).embed(planted_cells())
        assert vectors.shape == embedded(name).shape
        assert np.isfinite(vectors).all()
    if not depths:
        with pytest.raises(UnsupportedTaskError, match="and at no other") as refusal:
            built(name).at_depth("t4")
        assert "reads cells at several depths" in refusal.value.hint


class OutOfMemoryAbove:
    """Lets a model encode so many cells at once and no more."""

    def __init__(self, model: FoundationModel, most: int) -> None:
        self.encode, self.most = type(model).encode_cells, most

    def __call__(self, model: FoundationModel, tokens: Tokens) -> torch.Tensor:
        if len(tokens) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.encode(model, tokens)


def with_memory_for(name: str, n_cells: int) -> FoundationModel:
    """Return a model of a subclass that runs out of memory above a batch size."""
    kind = model_class(name)
    limit = OutOfMemoryAbove(built(name), n_cells)
    small = type("Small", (kind,), {"encode_cells": lambda self, tokens: limit(self, tokens)})
    torch.manual_seed(0)
    return small.untrained(planted_cells(), "tiny").eval()


@every_model
def test_batches_are_halved_until_they_fit_into_memory(name: str) -> None:
    notes: list[str] = []

    def report(progress: Progress) -> None:
        if progress.note:
            notes.append(progress.note)

    vectors = with_memory_for(name, 10).embed(planted_cells(), batch_size=32, report=report)
    np.testing.assert_allclose(vectors, embedded(name), atol=1e-5)
    assert "halved to 8 cells" in notes[-1]


@every_model
def test_one_cell_that_does_not_fit_is_an_error_with_a_hint(name: str) -> None:
    with pytest.raises(OutOfMemoryError, match="One cell alone"):
        with_memory_for(name, 0).embed(planted_cells())


@every_model
def test_cells_of_which_no_gene_is_known_are_refused(name: str) -> None:
    adata = planted_cells()
    other = AnnData(adata.X, obs=adata.obs)
    other.var_names = [f"unheard-of-{i}" for i in range(other.n_vars)]
    with pytest.raises(GeneMatchError, match="None of the 200 genes"):
        built(name).tokenize(other)
