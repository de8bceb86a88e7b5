"""A file is opened with its counts, its names made fit, and a history of what was done."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csc_matrix, csr_matrix

from scviz.datasets.choices import Opening
from scviz.datasets.columns import cell_column
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import CountsError, DataError, JobCancelledError, UnreadableFileError, UnsafeFileError
from scviz.progress import Progress
from scviz.workspace import Workspace

Save = Callable[[AnnData], Path]
LogValues = Callable[[float], np.ndarray]


def opened(path: Path, workspace: Workspace, **choices: str) -> AnnData:
    info = open_file(path, workspace, **choices)
    return read_counts(workspace.dataset_folder(info.id))


def test_counts_and_names_are_those_of_the_file(adata: AnnData, save: Save, workspace: Workspace) -> None:
    result = opened(save(adata), workspace)
    assert isinstance(result.X, csr_matrix)
    assert result.X.dtype == np.float32
    assert np.array_equal(result.X.toarray(), adata.X.toarray())
    assert result.obs_names.equals(adata.obs_names)
    assert result.var_names.equals(adata.var_names)
    assert result.obs["cell_type"].tolist() == adata.obs["cell_type"].tolist()
    assert result.var["ensembl_id"].tolist() == adata.var["ensembl_id"].tolist()


@pytest.mark.parametrize("layout", [csr_matrix, csc_matrix, np.asarray])
@pytest.mark.parametrize("target", [1e4, 1e6])
def test_counts_are_recovered_from_log_values(
    layout: Callable[[np.ndarray], object],
    target: float,
    adata: AnnData,
    save: Save,
    workspace: Workspace,
    log_values: LogValues,
) -> None:
    counts = adata.X.toarray()
    adata.X = layout(log_values(target))
    info = open_file(save(adata), workspace)
    assert np.array_equal(read_counts(workspace.dataset_folder(info.id)).X.toarray(), counts)
    assert info.counts.how == "recovered from log values"
    assert "in each of the 60 cells" in info.history[0]


def test_raw_counts_come_with_their_own_genes(adata: AnnData, save: Save, workspace: Workspace) -> None:
    adata.raw = adata.copy()
    result = opened(save(adata[:, :50].copy()), workspace)
    assert result.shape == (60, 200)


def test_the_user_may_choose_the_matrix(adata: AnnData, save: Save, workspace: Workspace) -> None:
    adata.layers["double"] = adata.X * 2
    path = save(adata)
    first = opened(path, workspace)
    second = opened(path, workspace, choices=Opening(counts_location="layers/double"))
    assert np.array_equal(second.X.toarray(), 2 * first.X.toarray())
    assert len(workspace.datasets()) == 2


def test_a_matrix_that_is_not_there_is_refused_with_those_that_are(
    adata: AnnData, save: Save, workspace: Workspace
) -> None:
    with pytest.raises(CountsError, match="no matrix 'layers/x'") as caught:
        open_file(save(adata), workspace, choices=Opening(counts_location="layers/x"))
    assert caught.value.hint == "Its matrices are: X."


@pytest.mark.parametrize("location", [None, "X"])
def test_scaled_values_are_refused_with_what_was_found(
    location: str | None, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    adata.X = adata.X.toarray() - 1.5
    with pytest.raises(CountsError, match=r"Values from -1\.5 to") as caught:
        open_file(save(adata), workspace, choices=Opening(counts_location=location))
    assert "layers['counts']" in caught.value.hint
    assert not list(workspace.home.glob("datasets/*"))


def test_a_fraction_outside_the_sample_is_noticed(
    adata: AnnData, save: Save, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scviz.datasets.matrices.SAMPLE", 20)
    adata.X.data[-1] = 0.5  # of the last cell, which is not looked at
    with pytest.raises(CountsError, match="not in all cells"):
        open_file(save(adata), workspace)


def test_gaps_in_categories_become_unknown_and_are_told(
    adata: AnnData, save: Save, workspace: Workspace
) -> None:
    adata.uns["cell_type_colors"] = np.array(["#ff0000", "#00ff00", "#0000ff"])
    adata.obs["cell_type"] = adata.obs["cell_type"].where(np.arange(60) > 6)
    info = open_file(save(adata), workspace)
    column = info.column("cell_type")
    assert '7 missing values of cell_type were filled with "unknown".' in info.history
    assert (column.n_values, column.n_missing) == (4, 0)
    assert dict(zip(column.values, column.colors, strict=True))["unknown"] == "#bdbdbd"


def test_repeated_names_become_unique_and_are_told(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        file["var/_index"][1] = "GENE1"
        file["obs/_index"][5] = "CELL00-1"
    info = open_file(path, workspace)
    result = read_counts(workspace.dataset_folder(info.id))
    assert result.var_names[:2].tolist() == ["GENE1", "GENE1-1"]
    assert result.obs_names.is_unique
    assert sum("more than once" in line for line in info.history) == 2


def test_truth_values_and_numbered_clusters_become_categories(
    adata: AnnData, save: Save, workspace: Workspace
) -> None:
    adata.obs["is_doublet"] = np.arange(60) % 2 == 0
    adata.obs["leiden"] = np.arange(60) % 5
    info = open_file(save(adata), workspace)
    folder = workspace.dataset_folder(info.id)
    assert cell_column(folder, "is_doublet").categories == ("False", "True")
    assert cell_column(folder, "leiden").categories == ("0", "1", "2", "3", "4")
    assert "The numbers in leiden were taken for names of groups." in info.history


def test_what_is_left_out_is_told(adata: AnnData, save: Save, workspace: Workspace) -> None:
    adata.obsm["X_pca"] = np.ones((60, 5))
    adata.obsm["table"] = pd.DataFrame({"a": np.ones(60)}, index=adata.obs_names)
    path = save(adata)
    with h5py.File(path, "r+") as file:
        file["obs/odd"] = np.ones((60, 2))
    info = open_file(path, workspace)
    assert info.embeddings == ("X_pca",)
    assert any(line.endswith("left out: odd.") for line in info.history)
    assert any(line.endswith("left out: table.") for line in info.history)


def test_cells_without_counts_are_kept_and_told(adata: AnnData, save: Save, workspace: Workspace) -> None:
    counts = adata.X.toarray()
    counts[3] = 0
    adata.X = csr_matrix(counts)
    info = open_file(save(adata), workspace)
    assert info.n_cells == 60
    assert any(line.startswith("1 cells have no counts") for line in info.history)


def test_places_have_one_width_so_that_cells_can_be_taken_out(
    adata: AnnData, save: Save, workspace: Workspace
) -> None:
    counts = read_counts(workspace.dataset_folder(open_file(save(adata), workspace).id)).X
    assert counts.indices.dtype == counts.indptr.dtype
    assert np.array_equal(counts[2::3].toarray(), adata.X.toarray()[2::3])


def test_the_same_file_is_opened_once(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    first = open_file(path, workspace)
    start = time.perf_counter()
    assert open_file(path, workspace) == first
    assert time.perf_counter() - start < 1
    assert len(workspace.datasets()) == 1


def test_a_changed_file_is_another_dataset(adata: AnnData, save: Save, workspace: Workspace) -> None:
    first = open_file(save(adata), workspace)
    adata.X[0, 0] += 1
    assert open_file(save(adata), workspace).id != first.id


def test_the_file_is_kept_as_it_came(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    folder = workspace.dataset_folder(open_file(path, workspace).id)
    source = folder / "source.h5ad"
    assert source.read_bytes() == path.read_bytes()
    assert source.stat().st_ino != path.stat().st_ino


def test_a_run_that_is_stopped_leaves_nothing(adata: AnnData, save: Save, workspace: Workspace) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "Writing genes":
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        open_file(save(adata), workspace, report=stop)
    assert not list(workspace.home.glob("datasets/*"))


def test_a_half_written_dataset_is_replaced(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    folder = workspace.dataset_folder(open_file(path, workspace).id)
    (folder / "info.json").unlink()
    assert workspace.dataset_folder(open_file(path, workspace).id) == folder


def test_a_file_that_is_too_large_is_refused(adata: AnnData, save: Save, workspace: Workspace) -> None:
    with pytest.raises(UnsafeFileError, match="unpacks"):
        open_file(save(adata), workspace, limit=1000)


def test_damaged_values_are_a_sentence(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        del file["X/indices"]
        indices = file.create_dataset("X/indices", data=adata.X.indices, chunks=(100,), compression="gzip")
        place = indices.id.get_chunk_info(3)
    with path.open("r+b") as bytes_of_file:
        bytes_of_file.seek(place.byte_offset)
        bytes_of_file.write(b"\xff" * place.size)
    with pytest.raises(UnreadableFileError, match="a part of it cannot be read"):
        open_file(path, workspace)
    assert not list(workspace.home.glob("datasets/*"))


def test_a_matrix_with_wrong_positions_is_refused(adata: AnnData, save: Save, workspace: Workspace) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        file["X/indices"][3] = 10_000
    with pytest.raises(DataError, match="damaged"):
        open_file(path, workspace)


def test_a_file_of_2018_is_opened(file_of_2018: Path, adata: AnnData, workspace: Workspace) -> None:
    result = opened(file_of_2018, workspace)
    assert np.array_equal(result.X.toarray(), adata.X.toarray())
    assert result.obs["cell_type"].tolist() == adata.obs["cell_type"].tolist()
    assert result.obsm["X_umap"].shape == (60, 2)


def test_a_file_of_2020_is_opened(file_of_2020: Path, adata: AnnData, workspace: Workspace) -> None:
    result = opened(file_of_2020, workspace)
    assert np.array_equal(result.X.toarray(), adata.X.toarray())
    assert result.obs["cell_type"].tolist() == adata.obs["cell_type"].tolist()
