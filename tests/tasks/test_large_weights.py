"""Weights that do not fit into the memory of a run are refused before they are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scviz.errors import CheckpointError, OutOfMemoryError
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.importing import Request
from scviz.tasks.importing.run import run
from scviz.workspace import Workspace


def folder_with(path: Path, name: str, size: int) -> Path:
    """A folder with a file of weights that has this size and takes no place."""
    path.mkdir()
    with (path / name).open("wb") as file:
        os.truncate(file.fileno(), size)
    return path


@pytest.mark.parametrize(
    ("model", "name", "size", "needed"),
    [
        ("geneformer", "model.safetensors", 3_000_000_000, "6.95"),
        ("scfoundation", "models.ckpt", 1_432_000_000, "2.65"),
        ("scbert", "panglao_pretrain.pth", 900_000_000, "2.54"),
    ],
)
def test_what_does_not_fit_is_refused_with_numbers_and_nothing_is_kept(
    model: str, name: str, size: int, needed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_MEMORY_GB", "2")
    folder, workspace = folder_with(tmp_path / "weights", name, size), Workspace(tmp_path / "home")
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    with pytest.raises(OutOfMemoryError) as refused:
        run(Request(model=model, folder=str(folder), name="large"), context)
    assert f"needs about {needed} GB of memory, and a run may use 2.00 GB here" in str(refused.value)
    assert "SCVIZ_MEMORY_GB" in refused.value.hint
    assert list((workspace.home / "checkpoints").glob("*/*")) == []


def test_what_fits_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCVIZ_MEMORY_GB", "2")
    folder, workspace = folder_with(tmp_path / "weights", "model.safetensors", 1000), Workspace(tmp_path)
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    with pytest.raises(CheckpointError):  # by its reader, which finds no weights in it
        run(Request(model="geneformer", folder=str(folder), name="small"), context)
