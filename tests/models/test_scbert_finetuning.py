"""The authors' recipe for cell types."""

from __future__ import annotations

from scviz.models.scbert.finetuning import freeze_as_published
from scviz.models.scbert.model import ScBert
from tests.models.cells import planted_cells


def test_only_the_second_to_last_layer_and_the_last_norm_are_trained() -> None:
    model = ScBert.untrained(planted_cells(), "tiny")
    freeze_as_published(model.network)
    trained = {name for name, p in model.network.named_parameters() if p.requires_grad}
    layer = {name for name, _ in model.network.named_parameters() if ".layers.0." in name}
    assert trained == layer | {"norm.weight", "norm.bias"}
