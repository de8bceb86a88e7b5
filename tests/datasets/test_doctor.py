"""The card of a file tells the truth about it, all at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csc_matrix, csr_matrix

from scviz.datasets.doctor import check_file
from scviz.datasets.reports import FileReport, MatrixReport
from scviz.errors import UnreadableFileError

Save = Callable[[AnnData], Path]
LogValues = Callable[[float], np.ndarray]


def matrix_of(report: FileReport) -> MatrixReport:
    """What is said of the matrix that is taken for the counts."""
    return next(matrix for matrix in report.matrices if matrix.location == report.counts)


def texts(report: FileReport, level: str) -> str:
    return " ".join(f"{finding.text} {finding.hint}" for finding in report.findings if finding.level == level)


def test_counts_in_x_are_found(adata: AnnData, save: Save) -> None:
    report = check_file(save(adata))
    assert (report.counts, matrix_of(report).kind) == ("X", "counts")
    assert matrix_of(report).evidence.startswith("Whole numbers, 0 to")
    assert (report.n_cells, report.n_genes, report.can_open) == (60, 200, True)


@pytest.mark.parametrize(("target", "said"), [(1e4, "10,000"), (1e6, "1,000,000")])
def test_log_values_are_said_to_be_recovered(
    target: float, said: str, adata: AnnData, save: Save, log_values: LogValues
) -> None:
    adata.X = csr_matrix(log_values(target))
    report = check_file(save(adata))
    assert matrix_of(report).kind == "log-normalized, recoverable"
    assert f"With the logarithm undone (expm1), the values of every sampled cell add up to {said}" in texts(
        report, "fix"
    )


def test_scaled_values_alone_cannot_be_opened(adata: AnnData, save: Save, log_values: LogValues) -> None:
    values = log_values(1e4)
    adata.X = (values - values.mean(axis=0)) / (values.std(axis=0) + 1)
    report = check_file(save(adata))
    assert report.counts is None
    assert not report.can_open
    assert "X: scaled." in texts(report, "stop")
    assert "layers['counts']" in texts(report, "stop")


def test_counts_are_found_in_a_layer_beside_scaled_values(adata: AnnData, save: Save) -> None:
    adata.layers["counts"] = adata.X.copy()
    adata.X = adata.X.toarray() - 1.5
    report = check_file(save(adata))
    assert report.counts == "layers/counts"
    assert [matrix.kind for matrix in report.matrices] == ["scaled", "counts"]


def test_raw_counts_of_all_genes_are_preferred_to_those_of_some(adata: AnnData, save: Save) -> None:
    adata.raw = adata.copy()
    report = check_file(save(adata[:, :50].copy()))
    assert report.counts == "raw/X"
    assert report.n_genes == 200


def test_spliced_counts_are_no_counts_when_there_are_others(adata: AnnData, save: Save) -> None:
    adata.layers["spliced"] = adata.X.copy()
    adata.layers["all"] = adata.X.copy()
    adata.X = adata.X.toarray() - 1.5
    report = check_file(save(adata))
    assert report.counts == "layers/all"


@pytest.mark.parametrize("layout", [csc_matrix, lambda matrix: matrix.toarray()])
def test_any_layout_of_a_matrix_is_judged_alike(
    layout: Callable[[csr_matrix], object], adata: AnnData, save: Save, log_values: LogValues
) -> None:
    adata.X = layout(csr_matrix(log_values(1e4)))
    report = check_file(save(adata))
    assert report.matrices[0].kind == "log-normalized, recoverable"
    assert report.matrices[0].n_sampled == 60


def test_a_large_matrix_that_is_stored_by_gene_is_judged_by_some_genes(
    adata: AnnData, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scviz.datasets.matrices.SAMPLE_VALUES", 1000)
    adata.X = csc_matrix(adata.X)
    matrix = check_file(save(adata)).matrices[0]
    assert (matrix.kind, matrix.n_sampled) == ("counts", 0)


def test_a_dense_matrix_in_tall_chunks_is_judged_by_a_corner(
    adata: AnnData, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", data=adata.X.toarray(), chunks=(60, 20))
    monkeypatch.setattr("scviz.datasets.matrices.STRIPE_BYTES", 1000)
    matrix = check_file(path).matrices[0]
    assert (matrix.kind, matrix.n_sampled) == ("counts", 0)


def test_the_base_of_the_logarithm_is_taken_from_the_file(
    adata: AnnData, save: Save, log_values: LogValues
) -> None:
    adata.X = csr_matrix(log_values(1e4) / np.float32(np.log(2)))
    adata.uns["log1p"] = {"base": 2}
    report = check_file(save(adata))
    assert report.matrices[0].transform.base == 2
    assert (
        "undone (2^value - 1), the values of every sampled cell add up to 10,000"
        in report.matrices[0].evidence
    )


def test_columns_are_sorted_by_what_they_are_good_for(adata: AnnData, save: Save) -> None:
    adata.obs["leiden"] = pd.Categorical(np.arange(60) % 5)
    adata.obs["is_doublet"] = np.arange(60) % 2 == 0
    adata.obs["barcode"] = [f"b{i}" for i in range(60)]
    adata.obs["seurat_clusters"] = np.arange(60) % 4
    adata.obs["phase"] = pd.Categorical(["G1", "S", "G2M"] * 20)
    report = check_file(save(adata))
    kinds = {column.name: column.kind for column in report.columns}
    assert report.columns[0].name == "cell_type"
    assert kinds == {
        "cell_type": "label",
        "leiden": "label",
        "seurat_clusters": "label",
        "donor": "batch",
        "is_doublet": "category",
        "barcode": "text",
        "phase": "category",
        "percent_mt": "number",
    }


def test_colors_of_the_file_follow_the_categories(adata: AnnData, save: Save) -> None:
    adata.uns["cell_type_colors"] = np.array(["#ff0000", "#00ff00", "#0000ff"])
    adata.obs.loc[adata.obs_names[:9], "cell_type"] = "T cell"
    column = check_file(save(adata)).columns[0]
    assert (column.values[0], column.colors[0]) == ("T cell", "#0000ff")


def test_colors_that_are_none_are_left_out(adata: AnnData, save: Save) -> None:
    adata.uns["cell_type_colors"] = np.array(["red", "url(x)", "#0000ff"])
    assert check_file(save(adata)).columns[0].colors == ()


def test_everything_that_is_wrong_is_said_at_once(adata: AnnData, save: Save) -> None:
    adata.obs["cell_type"] = adata.obs["cell_type"].where(np.arange(60) > 6)
    names = [f"ENSMUSG{i // 2:011d}.3" for i in range(200)]
    path = save(adata)
    with h5py.File(path, "r+") as file:
        del file["var/_index"], file["obs/_index"]
        file["var/_index"] = names
        file["obs/_index"] = ["same"] * 60
        del file["var/ensembl_id"]
        file["var"].attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
    said = texts(check_file(path), "fix")
    for part in (
        "cell_type (7 cells)",
        "100 gene names occur more than once",
        "1 cell names occur more than once",
        "The version of an Ensembl id: 200 names",
    ):
        assert part in said
    assert "These are genes of mouse" in texts(check_file(path), "ask")


def test_a_matrix_that_does_not_fit_its_names_stops(adata: AnnData, save: Save) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        file["layers/x"] = np.ones((3, 5))
    assert "layers/x is 3 x 5, but there are names for 60 cells" in texts(check_file(path), "stop")


def test_a_column_of_an_unknown_kind_is_named(adata: AnnData, save: Save) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        file["obs/odd"] = np.ones((60, 2))
    assert "Columns stored in a way that is not known here: odd" in texts(check_file(path), "fix")


def test_nullable_columns_are_read(adata: AnnData, save: Save) -> None:
    adata.obs["n"] = pd.array([1, None] * 30, dtype="Int64")
    adata.obs["yes"] = pd.array([True, None] * 30, dtype="boolean")
    columns = {column.name: column for column in check_file(save(adata)).columns}
    assert (columns["n"].kind, columns["n"].n_missing) == ("number", 30)
    assert (columns["yes"].values, columns["yes"].n_missing) == (("True",), 30)


def test_a_file_of_2018_is_read(file_of_2018: Path) -> None:
    report = check_file(file_of_2018)
    assert report.old_writer
    assert report.counts == "raw/X"
    assert report.columns[0].values == ("B cell", "NK cell", "T cell")
    assert report.columns[0].colors == ("#ff0000", "#00ff00", "#0000ff")
    assert report.genes.has_ensembl
    assert report.embeddings == ("X_umap",)


def test_a_file_of_2020_is_read(file_of_2020: Path) -> None:
    report = check_file(file_of_2020)
    assert report.old_writer
    assert report.columns[0].values == ("B cell", "NK cell", "T cell")


def test_texts_of_very_many_cells_are_judged_by_the_first(
    adata: AnnData, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scviz.datasets.cell_columns.MANY_CELLS", 10)
    monkeypatch.setattr("scviz.datasets.cell_columns.FIRST_CELLS", 20)
    columns = {column.name: column for column in check_file(save(adata)).columns}
    assert "first 20 cells" in columns["percent_mt"].reason
    assert "first" not in columns["cell_type"].reason


def test_damaged_values_are_a_sentence(adata: AnnData, save: Save) -> None:
    path = save(adata)
    with h5py.File(path, "r+") as file:
        del file["obs/cell_type/codes"]
    with pytest.raises(UnreadableFileError, match="a part of it cannot be read"):
        check_file(path)


def test_the_card_needs_no_heavy_package() -> None:
    heavy = "{'anndata', 'scanpy', 'scipy', 'sklearn', 'torch', 'pandas'}"
    code = (
        "import sys, scviz.datasets.doctor, scviz.datasets.columns, scviz.datasets.split, scviz.tasks.opening; "
        f"sys.stdout.write(' '.join({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_the_real_datasets_hold_counts(shared: Path) -> None:
    paths = sorted(
        set(shared.glob("data/*/*.h5ad")) - set(shared.glob("data/formats/*"))
    )  # those hold made numbers
    for path in paths:
        report = check_file(path)
        assert (report.counts, matrix_of(report).kind) == ("X", "counts")
        assert report.genes.species == "human"
        assert report.genes.has_ensembl
        assert report.genes.has_symbols
    assert paths
