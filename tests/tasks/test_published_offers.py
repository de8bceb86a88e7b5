"""Published weights that are offered for a dataset: genes, license, time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scviz.datasets.demo import open_demo
from scviz.foundation.card import Network
from scviz.models import cards
from scviz.progress import silent
from scviz.tasks import published_offers as offering
from scviz.tasks.published_offers import operations, published_offers
from scviz.workspace import CheckpointInfo, Workspace
from scviz.workspace.store import write_checkpoint_info


def test_those_of_one_press_come_first_with_genes_and_time(workspace: Workspace) -> None:
    dataset = open_demo(workspace, silent)
    offers = published_offers(dataset.id, workspace)
    assert [one.one_press for one in offers] == sorted((one.one_press for one in offers), reverse=True)
    first = {one.released.name: one for one in offers}
    assert set(first) == {
        "Geneformer-V1-10M",
        "Geneformer-V2-104M",
        "scGPT-whole-human",
        "models.ckpt",
    }
    assert all(one.n_genes == 765 and one.share > 0.95 for one in offers)
    small, large = first["Geneformer-V1-10M"], first["Geneformer-V2-104M"]
    assert small.seconds is not None
    assert large.seconds is not None
    assert 5 < large.seconds / small.seconds < 40, "twice the layers, three times the width, more between"
    assert not first["models.ckpt"].one_press, "a file is needed beside"
    assert published_offers(dataset.id, workspace, model="scgpt")[2].card.name == "scgpt"


def test_weights_that_are_here_are_not_offered(workspace: Workspace) -> None:
    dataset = open_demo(workspace, silent)
    info = CheckpointInfo(
        id="geneformer/mine-1",
        model="geneformer",
        name="Mine",
        description="",
        licence="",
        n_parameters=1,
        n_genes=1,
        size_mb=1.0,
        released="Geneformer-V1-10M",
    )
    folder = workspace.home / "checkpoints" / "geneformer" / "mine-1"
    folder.mkdir(parents=True)
    write_checkpoint_info(info, folder)
    assert "Geneformer-V1-10M" not in {one.released.name for one in published_offers(dataset.id, workspace)}


def test_time_follows_the_speed_of_the_machine(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_demo(workspace, silent)
    monkeypatch.setattr(offering, "_speed", lambda: 1e9)
    slow = {one.released.name: one.seconds for one in published_offers(dataset.id, workspace)}
    monkeypatch.setattr(offering, "_speed", lambda: 1e10)
    fast = {one.released.name: one.seconds for one in published_offers(dataset.id, workspace)}
    assert slow == pytest.approx({name: 10 * seconds for name, seconds in fast.items() if seconds})


@pytest.mark.parametrize("model", ["geneformer", "scgpt", "scfoundation"])
def test_shapes_on_the_cards_are_those_of_the_configurations(model: str) -> None:
    shapes = {released.network for released in cards()[model].released}
    assert None not in shapes
    assert all(isinstance(shape, Network) and shape.most_tokens > 1000 for shape in shapes)


def test_twice_the_tokens_are_more_than_twice_the_work() -> None:
    network = Network(n_layers=6, width=256, ffn=512, most_tokens=2048)
    assert operations(network, 400) > 2 * operations(network, 200)
    assert operations(replace(network, n_layers=12), 200) == 2 * operations(network, 200)
