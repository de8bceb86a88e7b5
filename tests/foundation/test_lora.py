"""Adapters, on every foundation model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.lora import add_adapters, merge_adapters
from scviz.models import MODELS, model_class
from tests.models.cells import N_TYPES, planted_cells

every_model = pytest.mark.parametrize("name", MODELS)


def classifier_of(name: str) -> CellTypeClassifier:
    torch.manual_seed(0)
    model = model_class(name).untrained(planted_cells(), "tiny").eval()
    types = ("type 0", "type 1", "type 2")
    return CellTypeClassifier(model, model.classifier(N_TYPES), types).eval()


def own_weights(classifier: CellTypeClassifier) -> dict[str, Tensor]:
    """The encoder's weights but for adapters, under their ordinary names."""
    named = dict(classifier.encoder.named_parameters())
    return {
        key.replace(".base_layer", ""): value.detach().clone()
        for key, value in named.items()
        if "lora_" not in key
    }


def train(classifier: CellTypeClassifier, n_steps: int = 3) -> None:
    """Take some steps over all that needs gradients, in the way of training."""
    adata = planted_cells()[:12].copy()
    tokens, truth = classifier.encoder.tokenize(adata), torch.arange(12) % N_TYPES
    optimizer = torch.optim.AdamW([p for p in classifier.parameters() if p.requires_grad], lr=1e-2)
    classifier.train()
    for _ in range(n_steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(classifier(tokens), truth).backward()
        optimizer.step()
    classifier.eval()


@every_model
def test_only_adapters_and_head_change_and_merged_they_give_the_same(name: str, tmp_path: Path) -> None:
    classifier = classifier_of(name)
    encoder, tokens = classifier.encoder, classifier.encoder.tokenize(planted_cells()[:9])
    before, names = own_weights(classifier), list(encoder.state_dict())
    untouched = classifier_of(name)(tokens).detach()
    head = torch.cat([p.detach().ravel() for p in classifier.head.parameters()])
    add_adapters(classifier, tokens)
    torch.testing.assert_close(classifier(tokens).detach(), untouched)  # adapters begin with nothing
    assert {"lora_" in key for key, p in encoder.named_parameters() if p.requires_grad} == {True}
    train(classifier)

    after = own_weights(classifier)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert not torch.equal(head, torch.cat([p.detach().ravel() for p in classifier.head.parameters()]))
    adapters = {key: p for key, p in encoder.named_parameters() if "lora_B" in key}
    assert all(p.abs().sum() > 0 for p in adapters.values())

    with torch.no_grad():
        adapted = classifier(tokens)
        merge_adapters(classifier)
        merged = classifier(tokens)
    torch.testing.assert_close(merged, adapted, atol=1e-5, rtol=0)
    assert (merged - untouched).abs().max() > 1e-3
    assert list(encoder.state_dict()) == names

    classifier.save(tmp_path)
    again = CellTypeClassifier.load(tmp_path, model_class(name))
    with torch.no_grad():
        np.testing.assert_allclose(again(tokens), merged, atol=1e-6)


@every_model
def test_adapters_are_few_weights_and_on_layers_that_cells_pass_through(name: str) -> None:
    classifier = classifier_of(name)
    add_adapters(classifier, classifier.encoder.tokenize(planted_cells()[:2]))
    trained = {key for key, p in classifier.encoder.named_parameters() if p.requires_grad}
    classifier(classifier.encoder.tokenize(planted_cells()[:9])).sum().backward()
    reached = {key for key, p in classifier.encoder.named_parameters() if p.grad is not None}
    assert trained == reached
