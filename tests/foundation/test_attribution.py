"""What genes add to the score of a type: all of it, for every model, and nothing by what is no gene."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
import torch

from scviz.foundation.attribution import attribute, average_gene, own_score
from scviz.foundation.classifier import CellTypeClassifier
from scviz.models import MODELS, model_class


def classifier_of(name: str, adata: anndata.AnnData) -> CellTypeClassifier:
    torch.manual_seed(0)
    encoder = model_class(name).untrained(adata, "tiny")
    return CellTypeClassifier(encoder, encoder.classifier(3, pooling="mean"), ("a", "b", "c")).eval()


@pytest.mark.parametrize("name", MODELS)
def test_what_genes_add_is_the_whole_difference_of_the_score(name: str, adata: anndata.AnnData) -> None:
    classifier = classifier_of(name, adata)
    tokens = classifier.encoder.tokenize(adata[:4])
    average = average_gene(classifier, iter([tokens]))
    found = attribute(classifier, tokens, np.array([0, 1, 2, 0]), average=average, n_steps=64)
    difference = found.score - found.start
    assert np.abs(difference).max() > 1e-4
    assert found.integrated.sum(axis=1) == pytest.approx(
        difference, abs=0.03 * float(np.abs(difference).max())
    )
    with torch.no_grad():
        scores = own_score(classifier(tokens), torch.tensor([0, 1, 2, 0]))
    assert found.score == pytest.approx(scores.numpy(), abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_no_gene_adds_nothing(name: str, adata: anndata.AnnData) -> None:
    classifier = classifier_of(name, adata)
    tokens = classifier.encoder.tokenize(adata[:3])
    average = average_gene(classifier, iter([tokens]))
    found = attribute(classifier, tokens, np.array([0, 1, 2]), average=average, n_steps=2)
    other = ~tokens.mask | ~np.isin(tokens.gene_ids, classifier.encoder.vocab.ids)
    assert not found.integrated[other].any()
    assert not found.gradient[other].any()
    assert found.integrated[~other].any()


def test_gradient_times_input_is_what_a_small_step_says(adata: anndata.AnnData) -> None:
    """Along the straight line to the average gene, the score changes at its end by the sum of gradient times input."""
    classifier = classifier_of("geneformer", adata)
    tokens, types = classifier.encoder.tokenize(adata[:1]), np.array([1])
    average = average_gene(classifier, iter([tokens]))
    whole = attribute(classifier, tokens, types, average=average, n_steps=1)
    read: list[torch.Tensor] = []
    handle = classifier.encoder.first_layer.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    with torch.no_grad():
        classifier(tokens)
    handle.remove()
    step = 1e-2
    genes = torch.as_tensor(np.isin(tokens.gene_ids, classifier.encoder.vocab.ids) & tokens.mask)
    moved = torch.where(genes[..., None], read[0] - step * (read[0] - average), read[0])
    handle = classifier.encoder.first_layer.register_forward_pre_hook(lambda _, given: (moved, *given[1:]))
    with torch.no_grad():
        lower = own_score(classifier(tokens), torch.tensor([1])).item()
    handle.remove()
    assert (whole.score[0] - lower) / step == pytest.approx(whole.gradient.sum(), rel=0.05, abs=2e-3)
