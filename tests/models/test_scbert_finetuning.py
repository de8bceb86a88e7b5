"""The authors' recipe for cell types."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scviz.models.scbert.finetuning import Schedule, class_weights, freeze_as_published, unassigned
from scviz.models.scbert.model import ScBert
from tests.models.cells import planted_cells


def test_only_the_second_to_last_layer_and_the_last_norm_are_trained() -> None:
    model = ScBert.untrained(planted_cells(), "tiny")
    freeze_as_published(model.network)
    trained = {name for name, p in model.network.named_parameters() if p.requires_grad}
    layer = {name for name, _ in model.network.named_parameters() if ".layers.0." in name}
    assert trained == layer | {"norm.weight", "norm.bias"}


def test_weights_are_squares_of_the_share_of_other_types() -> None:
    # shares 0.5, 0.25, 0.25: squares 0.25, 0.5625, 0.5625 with a mean over cells of 0.40625
    weights = class_weights(np.array([0, 0, 1, 2]), 3)
    assert weights.tolist() == pytest.approx([0.25 / 0.40625, 0.5625 / 0.40625, 0.5625 / 0.40625])


def test_weights_of_cells_have_a_mean_of_one() -> None:
    types = np.array([0] * 90 + [1] * 9 + [2])
    assert class_weights(types, 3)[types].mean() == pytest.approx(1, abs=1e-5)


def test_a_single_type_weighs_one() -> None:
    assert class_weights(np.zeros(4, dtype=int), 1).tolist() == [1]


def test_weights_let_a_rare_type_be_learned() -> None:
    types = np.array([0] * 95 + [1] * 5)
    logits = torch.nn.Parameter(torch.zeros(2))  # without features, the loss alone decides
    optimizer = torch.optim.SGD([logits], lr=0.5)
    loss = torch.nn.CrossEntropyLoss(torch.as_tensor(class_weights(types, 2)))
    for _ in range(200):
        optimizer.zero_grad()
        loss(logits.expand(100, 2), torch.as_tensor(types)).backward()
        optimizer.step()
    assert logits.softmax(dim=0)[1] > 0.5


def test_cells_without_a_likely_type_stay_unnamed() -> None:
    probabilities = np.array([[0.4, 0.3, 0.3], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    assert unassigned(probabilities).tolist() == [True, False, False]
    assert not unassigned(probabilities, 0).any()


def test_the_rate_rises_falls_and_starts_again_lower_and_longer() -> None:
    rates = Schedule().rates(85)
    peaks = [i for i in range(1, 84) if rates[i - 1] < rates[i] > rates[i + 1]]
    assert peaks == [5, 20, 45]
    assert rates[peaks].tolist() == pytest.approx([1e-4, 9e-5, 8.1e-5])
    assert rates[[0, 15, 40]].tolist() == pytest.approx([1e-6] * 3)
    assert rates[14] == pytest.approx(3.42e-6, rel=1e-2)
