"""Results go into a copy of the user's file, which is otherwise left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.readers import open_file
from scviz.datasets.writeback import write_labels
from scviz.errors import DataError
from scviz.workspace import Workspace

COLUMNS = {
    "scviz_label": np.array(["T cell", "B cell", ""] * 20),
    "scviz_confidence": np.linspace(0, 1, 60).astype(np.float32),
}
NOTE = {"model": "tiny", "seed": 0, "licence": None, "weights": {"name": "w", "genes": ["a", "b"]}}


@pytest.fixture
def folder(adata: AnnData, save: Callable[[AnnData], Path], workspace: Workspace) -> Path:
    adata.raw = adata.copy()
    adata.layers["x"] = adata.X * 0.5
    adata.uns["mine"] = {"a": 1}
    return workspace.dataset_folder(open_file(save(adata), workspace).id)


def test_columns_and_embeddings_are_added(folder: Path, tmp_path: Path, adata: AnnData) -> None:
    target = tmp_path / "out.h5ad"
    write_labels(
        folder, target, COLUMNS, model_note=NOTE, embeddings={"X_tiny": np.ones((60, 4), np.float32)}
    )
    result = anndata.read_h5ad(target)
    assert result.obs_names.equals(adata.obs_names)
    assert list(result.obs) == [*adata.obs, *COLUMNS]
    assert result.obs["scviz_label"].isna().sum() == 20
    assert result.obs["scviz_confidence"].to_numpy() == pytest.approx(COLUMNS["scviz_confidence"])
    assert result.obsm["X_tiny"].shape == (60, 4)
    assert result.uns["mine"]["a"] == 1


def test_the_note_tells_model_and_history(folder: Path, tmp_path: Path) -> None:
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE)
    note = anndata.read_h5ad(tmp_path / "out.h5ad").uns["scviz"]
    assert note["models"]["weights"]["genes"].tolist() == ["a", "b"]
    first, second = note["history"].tolist()
    assert first == "Raw counts were taken from X as they are."
    assert second.startswith("Expression is log1p of counts scaled to")
    assert note["dataset"] == folder.name


def test_matrices_stay_as_they_were(folder: Path, tmp_path: Path) -> None:
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE)
    before, after = anndata.read_h5ad(folder / "source.h5ad"), anndata.read_h5ad(tmp_path / "out.h5ad")
    for one, other in (
        (before.X, after.X),
        (before.raw.X, after.raw.X),
        (before.layers["x"], after.layers["x"]),
    ):
        assert one.dtype == other.dtype
        assert np.array_equal(one.toarray(), other.toarray())


def test_the_source_stays_as_it_was(folder: Path, tmp_path: Path) -> None:
    before = (folder / "source.h5ad").read_bytes()
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE)
    assert (folder / "source.h5ad").read_bytes() == before


@pytest.mark.filterwarnings("ignore:.*:FutureWarning")
def test_a_file_of_2018_comes_back_in_the_layout_of_today(
    file_of_2018: Path, workspace: Workspace, tmp_path: Path
) -> None:
    folder = workspace.dataset_folder(open_file(file_of_2018, workspace).id)
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE)
    result = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert result.obs["cell_type"].cat.categories.tolist() == ["B cell", "NK cell", "T cell"]
    assert result.obs["scviz_label"].tolist()[:2] == ["T cell", "B cell"]
    assert result.raw.shape == (60, 200)


def test_a_file_that_came_back_can_be_opened_and_written_again(
    folder: Path, tmp_path: Path, workspace: Workspace
) -> None:
    vectors = {"X_tiny": np.ones((60, 4), np.float32)}
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE, embeddings=vectors)
    again = workspace.dataset_folder(open_file(tmp_path / "out.h5ad", workspace).id)
    write_labels(again, tmp_path / "out2.h5ad", COLUMNS, model_note=NOTE, embeddings=vectors)
    result = anndata.read_h5ad(tmp_path / "out2.h5ad")
    assert list(result.obs).count("scviz_label") == 1
    assert len(result.uns["scviz"]["history"]) > 1


def test_columns_of_the_file_are_not_overwritten(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its own cell_type") as caught:
        write_labels(folder, tmp_path / "out.h5ad", {"cell_type": np.zeros(60)}, model_note=NOTE)
    assert "another name" in caught.value.hint
    assert not (tmp_path / "out.h5ad").exists()


def test_a_column_of_another_length_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 values for 60 cells"):
        write_labels(folder, tmp_path / "out.h5ad", {"scviz_x": np.zeros(3)}, model_note=NOTE)


def test_names_with_a_slash_make_no_groups(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="slash"):
        write_labels(folder, tmp_path / "out.h5ad", {"a/b": np.zeros(60)}, model_note=NOTE)


def test_the_copy_has_no_links(folder: Path, tmp_path: Path) -> None:
    write_labels(folder, tmp_path / "out.h5ad", COLUMNS, model_note=NOTE)
    with h5py.File(tmp_path / "out.h5ad") as file:
        assert set(file["uns"]) == {"mine", "scviz"}
