"""The checkpoints that come with the project: small, made by a command that they name, better than chance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from benchmarks.blood.seen import cell_losses, neighbors_of
from benchmarks.blood.ship import LARGEST_MB, sentences
from scviz.datasets.demo import open_demo
from scviz.datasets.readers import read_counts
from scviz.metrics.neighbors import agreement_gain
from scviz.models import MODELS, cards, model_class
from scviz.settings import ROOT
from scviz.workspace import CheckpointInfo, Workspace

FOLDER = ROOT / "assets" / "checkpoints"
BLOOD = MODELS
TOGETHER_MB = 40
FILES = {"pbmc_sorted_3500", "kang_ifnb_2000", "kang_ctrl_8684", "cellline_mixology", "pbmc3k_labelled"}
N_CELLS, N_ASKED = 400, 24
FEWER = {"scbert": (200, 40), "scfoundation": (300, 6)}
"""Of models that read or restore every gene that they know, at 0.03 s a cell and more."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> AnnData:
    """Cells that no model in the box saw."""
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    return read_counts(workspace.dataset_folder(open_demo(workspace).id))


def info_of(model: str) -> CheckpointInfo:
    (info,) = [c for c in Workspace(Path("nowhere")).checkpoints() if c.model == model]
    return info


def record_of(model: str) -> dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]:
    content = json.loads((FOLDER / f"{model}-blood" / "judged.json").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.slow
@pytest.mark.parametrize("model", BLOOD)
def test_a_blood_model_is_better_than_random_weights_on_cells_it_never_saw(
    model: str, cells: AnnData
) -> None:
    """By its own objective, and by how cells of one type lie together, with an interval."""
    trained = model_class(model).from_checkpoint(FOLDER / f"{model}-blood")
    untrained = trained.newly_initialized(1)
    n_cells, n_asked = FEWER.get(model, (N_CELLS, N_ASKED))
    some = cells[np.random.default_rng(0).permutation(cells.n_obs)[:n_cells]].copy()
    asked = some[:n_asked]
    assert cell_losses(trained, asked).mean() < 0.9 * cell_losses(untrained, asked).mean()
    types = np.unique(some.obs["bulk_labels"].astype(str), return_inverse=True)[1]
    near, far = (neighbors_of(one.embed(some)) for one in (trained, untrained))
    gain = agreement_gain(near, far, types, name=model, over="random weights")
    assert gain.outcome == "better", gain.sentence


@pytest.mark.parametrize("model", BLOOD)
def test_a_blood_model_names_its_cells_its_worth_and_the_command_that_made_it(model: str) -> None:
    info, record = info_of(model), record_of(model)
    assert info.demo
    assert info.name == f"{cards()[model].title}, small blood model"
    assert info.description.startswith("Small blood model of this project, not the published one")
    assert info.command.startswith(f"python -m benchmarks.blood train {model} --data ")
    names = {"-".join(seen.split("-")[:-1]).replace("-", "_") for seen in info.trained_on}
    assert names == FILES - {"pbmc3k_labelled"}
    assert {source.split(":")[0] for source in info.sources} == names
    assert info.judged == sentences(record["judged"], cards()[model].title)


@pytest.mark.parametrize("model", BLOOD)
def test_a_blood_model_beat_each_draw_of_random_weights_on_the_file_that_it_never_saw(model: str) -> None:
    gains = record_of(model)["judged"]["dataset"]["gains"]
    assert sum(name.startswith("random weights") for name in gains) == 3
    assert all(gain["low"] > 0 for name, gain in gains.items() if name.startswith("random weights"))


@pytest.mark.parametrize("model", BLOOD)
def test_a_blood_model_reads_most_genes_of_every_human_file(model: str) -> None:
    read = record_of(model)["read"]
    assert set(read) == FILES
    assert min(read.values()) >= 0.85  # type: ignore[type-var]
    assert info_of(model).n_genes >= 12_000


def test_every_family_has_one_and_no_other_weights_are_in_the_box() -> None:
    assert sorted(folder.name for folder in FOLDER.iterdir()) == sorted(f"{model}-blood" for model in MODELS)


def test_they_are_small() -> None:
    sizes = [file.stat().st_size / 1e6 for file in FOLDER.glob("*/weights.safetensors")]
    assert max(sizes) <= LARGEST_MB
    assert sum(sizes) <= TOGETHER_MB
