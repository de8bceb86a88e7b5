"""Datasets, checkpoints and runs as folders."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from scviz.errors import CheckpointError, DataError
from scviz.settings import Settings
from scviz.workspace import CheckpointInfo, ColumnInfo, CountsSource, DatasetInfo, TermsInfo, Workspace
from scviz.workspace.names import slug
from scviz.workspace.provenance import provenance
from scviz.workspace.records import write_json
from scviz.workspace.store import NOT_KNOWN, write_checkpoint_info, write_info


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.from_settings(Settings.from_env({"SCVIZ_HOME": str(tmp_path)}))


def dataset(name: str) -> DatasetInfo:
    return DatasetInfo(
        id=name,
        name=name,
        source=f"{name}.h5ad",
        n_cells=3,
        n_genes=2,
        counts=CountsSource(location="X", how="as stored", evidence="All 6 values are integers."),
        gene_names="symbol",
        columns=(
            ColumnInfo(name="cell_type", kind="label", n_values=2, values=("T", "B")),
            ColumnInfo(name="donor", kind="batch", n_values=2),
        ),
    )


def checkpoint(name: str, *, trained_on: tuple[str, ...] = ()) -> CheckpointInfo:
    return CheckpointInfo(
        trained_on=trained_on,
        id=f"scgpt/{name}",
        model="scgpt",
        name=name,
        description="Trained on blood.",
        licence="MIT",
        n_parameters=10,
        n_genes=5,
        size_mb=0.1,
    )


def keep(workspace: Workspace, name: str, modified: float) -> None:
    folder = workspace.dataset_folder(name)
    folder.mkdir()
    write_info(dataset(name), folder)
    os.utime(folder / "info.json", (modified, modified))


def test_a_dataset_comes_back_as_it_was_described(workspace: Workspace) -> None:
    keep(workspace, "pbmc", 1)
    assert workspace.dataset("pbmc") == dataset("pbmc")


def test_the_dataset_opened_last_comes_first(workspace: Workspace) -> None:
    keep(workspace, "old", 1)
    keep(workspace, "new", 2)
    assert [info.id for info in workspace.datasets()] == ["new", "old"]


def test_a_folder_without_description_is_no_dataset_yet(workspace: Workspace) -> None:
    workspace.dataset_folder("half").mkdir()
    assert workspace.datasets() == []
    with pytest.raises(DataError, match="no dataset 'half'"):
        workspace.dataset("half")


def test_columns_are_found_by_name_and_kind() -> None:
    info = dataset("pbmc")
    assert info.column("donor").kind == "batch"
    assert info.columns_of("label", "batch") == ("cell_type", "donor")
    with pytest.raises(DataError, match="no column 'age'"):
        info.column("age")


def test_a_checkpoint_comes_back_as_it_was_described(workspace: Workspace) -> None:
    folder = workspace.checkpoint_folder("scgpt/blood")
    folder.mkdir(parents=True)
    write_checkpoint_info(checkpoint("blood"), folder)
    assert workspace.checkpoint("scgpt/blood") == checkpoint("blood")
    assert workspace.checkpoints()[0] == checkpoint("blood")


def test_a_missing_checkpoint_is_named(workspace: Workspace) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint 'scgpt/gone'"):
        workspace.checkpoint("scgpt/gone")


def keep_terms(workspace: Workspace, name: str, modified: float) -> TermsInfo:
    folder = workspace.terms_folder(name)
    folder.mkdir(parents=True)
    info = TermsInfo(id=name, name=name.upper(), source="a file", n_genes=1, n_terms=2)
    (folder / "terms.json").write_text('{"KLF1": ["a", "b"]}', encoding="utf-8")
    write_json(info, folder / "info.json")
    os.utime(folder / "info.json", (modified, modified))
    return info


def test_gene_terms_are_listed_newest_first_and_found_by_id(workspace: Workspace) -> None:
    assert workspace.terms() == []
    old, new = keep_terms(workspace, "old", 1), keep_terms(workspace, "new", 2)
    assert workspace.terms() == [new, old]
    assert "KLF1" in workspace.terms_file("old").read_text("utf-8")
    with pytest.raises(DataError, match="no gene terms 'gone'"):
        workspace.terms_file("gone")


def test_demo_checkpoints_are_found_in_the_project(workspace: Workspace) -> None:
    for info in workspace.checkpoints():
        assert workspace.checkpoint(info.id) == info


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/../../..", "..", "", "."])
def test_a_name_that_leads_out_of_its_shelf_is_refused(workspace: Workspace, name: str) -> None:
    for folder in (
        workspace.dataset_folder,
        workspace.checkpoint_folder,
        workspace.terms_folder,
        workspace.run_folder,
    ):
        with pytest.raises(DataError, match="no name of something kept here"):
            folder(name)


@pytest.mark.parametrize(
    ("name", "short"),
    [("My PBMC (final).h5ad", "my-pbmc-final-h5ad"), ("???", "unnamed"), ("x" * 60, "x" * 40)],
)
def test_a_slug_is_short_and_plain(name: str, short: str) -> None:
    assert slug(name) == short


def test_a_checkpoint_remembers_the_cells_it_has_seen_under_any_name(workspace: Workspace) -> None:
    for name in ("blood-1a2b3c4d", "renamed-1a2b3c4d", "other-99999999"):
        keep(workspace, name, 1)
    folder = workspace.dataset_folder("demo-cells-5e5e5e5e")
    folder.mkdir()
    write_info(replace(dataset("demo-cells-5e5e5e5e"), demo=True), folder)
    made = {"own": ("blood-1a2b3c4d",), "demo": ("demo",), "released": (), "further": (NOT_KNOWN, "demo")}
    for name, seen in made.items():
        folder = workspace.checkpoint_folder(f"scgpt/{name}")
        folder.mkdir(parents=True)
        write_checkpoint_info(checkpoint(name, trained_on=seen), folder)
    own, told = sorted(workspace.datasets(), key=lambda d: d.id), {}
    for name in made:
        told[name] = [workspace.seen_in_training(f"scgpt/{name}", info.id) for info in own]
    assert told == {
        "own": ["seen", "not seen", "not seen", "seen"],
        "demo": ["not seen", "seen", "not seen", "not seen"],
        "released": ["not known"] * 4,  # anything may have been among the cells of those who trained them
        "further": ["not known", "seen", "not known", "not known"],
    }
    assert workspace.seen_after("scgpt/released", "other-99999999") == (NOT_KNOWN, "other-99999999")
    assert workspace.seen_after("scgpt/own", "other-99999999") == ("blood-1a2b3c4d", "other-99999999")


def test_numbers_say_whose_training_is_not_known(workspace: Workspace) -> None:
    keep(workspace, "blood-1a2b3c4d", 1)
    for name, seen in {"released": (), "own": ("other-99999999",)}.items():
        folder = workspace.checkpoint_folder(f"scgpt/{name}")
        folder.mkdir(parents=True)
        write_checkpoint_info(checkpoint(name, trained_on=seen), folder)
    asked = {"dataset": "blood-1a2b3c4d", "checkpoints": ["scgpt/released", "scgpt/own"]}
    known = provenance(workspace, asked)
    assert known.sentences == ("Whether released saw these cells in training is not known.",)
    assert known.mark == ""


def test_what_is_known_of_a_dataset_is_read_anew_when_it_changed(workspace: Workspace) -> None:
    folder = workspace.dataset_folder("cells")
    folder.mkdir(parents=True)
    write_info(dataset("cells"), folder)
    assert workspace.dataset("cells") is workspace.dataset("cells")
    write_info(replace(dataset("cells"), name="renamed"), folder)
    assert workspace.dataset("cells").name == "renamed"
    (folder / "info.json").unlink()
    with pytest.raises(DataError):
        workspace.dataset("cells")
