"""The checkpoints that come with the project: small, made by a command that they name, better than chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from anndata import AnnData

from scviz.datasets.demo import open_demo
from scviz.datasets.readers import read_counts
from scviz.models import MODELS, model_class
from scviz.settings import ROOT
from scviz.tasks.pretraining import Request
from scviz.tasks.pretraining.run import Loss, split
from scviz.workspace import Workspace

LARGEST_MB = 6
HELD_OUT = 70


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> AnnData:
    """The cells of which all of them saw 630."""
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    return read_counts(workspace.dataset_folder(open_demo(workspace).id))


@pytest.mark.parametrize("model", MODELS)
def test_a_demo_checkpoint_is_better_than_chance_on_cells_it_never_saw(model: str, cells: AnnData) -> None:
    trained = model_class(model).from_checkpoint(folder_of(model))
    torch.manual_seed(0)
    untrained = model_class(model).untrained(cells, "demo")
    parts = split(trained, cells, Request(dataset="demo", model=model))
    seen, unseen = parts.train, np.sort(np.concatenate([parts.validation, parts.test]))
    assert len(unseen) == HELD_OUT
    loss = Loss(trained, cells, seed=0).of_all(unseen, 16)
    assert loss < 0.9 * Loss(untrained, cells, seed=0).of_all(unseen, 16)
    assert loss < trained.blind_loss(trained.tokenize(cells[seen]), trained.tokenize(cells[unseen]))


@pytest.mark.parametrize("model", MODELS)
def test_a_demo_checkpoint_is_small_and_names_the_command_that_made_it(model: str) -> None:
    size = sum(file.stat().st_size for file in folder_of(model).iterdir())
    assert size < LARGEST_MB * 1e6
    (info,) = [c for c in Workspace(Path("nowhere")).checkpoints() if c.model == model]
    assert info.demo
    assert info.trained_on == ("demo",)
    assert info.command.startswith(f"python -m scviz pretrain demo --model {model} --configuration demo ")


def folder_of(model: str) -> Path:
    return ROOT / "assets" / "checkpoints" / f"{model}-demo"
