"""Seurat objects in HDF5, written here as SeuratDisk writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.datasets.arriving.contract import Choices
from scviz.datasets.arriving.readers import arrive
from scviz.datasets.choices import Opening
from scviz.datasets.formats import format_of
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import UnreadableFileError
from scviz.workspace import Workspace

TEXT = h5py.string_dtype()
GENES = ["CD3E", "MS4A1", "LYZ", "NKG7", "GNLY"]
CELLS = [f"AAAC{i}-1" for i in range(8)]
COUNTS = np.random.default_rng(3).poisson(1.0, (8, 5)).astype(float)
LEVELS, CODES = ["T cell", "B cell"], [1, 2, 1, 1, 2, -(2**31), 1, 2]
Edit = Callable[[h5py.File], None]


def sparse(place: h5py.Group, values: np.ndarray) -> None:
    """A dgCMatrix of genes x cells: by column, which is by cell."""
    matrix = csr_matrix(values)
    place["data"], place["indices"], place["indptr"] = matrix.data, matrix.indices, matrix.indptr
    place.attrs["dims"] = values.shape[::-1]


def written(path: Path, edit: Edit | None = None) -> Path:
    """An object with counts, their logarithms, a table of cells, and a map."""
    with h5py.File(path, "w") as file:
        file.attrs["version"], file.attrs["active.assay"] = ["4.1.3"], ["RNA"]
        file.create_dataset("cell.names", data=CELLS, dtype=TEXT)
        assay = file.create_group("assays/RNA")
        assay.create_dataset("features", data=GENES, dtype=TEXT)
        sparse(assay.create_group("counts"), COUNTS)
        sparse(assay.create_group("data"), np.log1p(COUNTS))
        assay["scale.data"] = np.zeros((8, 2))
        assay.create_dataset("scaled.features", data=GENES[:2], dtype=TEXT)
        assay.create_dataset("variable.features", data=GENES[:2], dtype=TEXT)
        table = file.create_group("meta.data")
        table.attrs["colnames"] = ["cell_type", "age", "passed", "donor"]
        table.create_dataset("cell_type/levels", data=LEVELS, dtype=TEXT)
        table["cell_type/values"] = np.array(CODES, dtype=np.int32)
        table["age"] = np.array([30, 31, -(2**31), 33, 34, 35, 36, 37], dtype=np.int32)
        table["passed"] = np.array([1, 0, 2, 1, 1, 1, 0, 0], dtype=np.int32)
        table["passed"].attrs["s3class"] = "logical"
        table.create_dataset("donor", data=["a"] * 4 + ["b"] * 4, dtype=TEXT)
        table.create_dataset("_index", data=CELLS, dtype=TEXT)
        table.attrs["_index"] = "_index"
        file["reductions/umap/cell.embeddings"] = np.arange(16.0).reshape(2, 8)
        if edit:
            edit(file)
    return path


def read(path: Path, tmp_path: Path, part: str = "") -> tuple[anndata.AnnData, tuple[str, ...]]:
    """The file as h5ad, and what is said of it."""
    found = arrive(path, tmp_path / "shelf", Choices(part=part), content=lambda: part or "one", limit=10**9)
    assert found.arrival is not None
    return anndata.read_h5ad(found.path), found.arrival.notes


def test_counts_tables_and_map_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "cells.h5Seurat")
    assert format_of(path) == "h5seurat"
    found, notes = read(path, tmp_path)
    assert np.array_equal(found.X.toarray(), COUNTS)
    np.testing.assert_allclose(found.layers["data"].toarray(), np.log1p(COUNTS))
    assert (found.obs_names.tolist(), found.var_names.tolist()) == (CELLS, GENES)
    assert found.obs.columns.tolist() == ["cell_type", "age", "passed", "donor"]
    assert found.obs["cell_type"].tolist()[:5] == ["T cell", "B cell", "T cell", "T cell", "B cell"]
    assert found.obs["cell_type"].isna().tolist() == [False] * 5 + [True, False, False]
    assert np.isnan(found.obs["age"].iloc[2])
    assert found.obs["passed"].tolist()[:2] == [True, False]
    assert np.array_equal(found.obsm["X_umap"], np.arange(16.0).reshape(2, 8).T)
    assert any("X holds counts; the other layers are data" in note for note in notes)
    assert any("Scaled values" in note for note in notes)


def test_it_opens_with_its_counts(workspace: Workspace, tmp_path: Path) -> None:
    info = open_file(written(tmp_path / "cells.h5seurat"), workspace, choices=Opening())
    assert np.array_equal(read_counts(workspace.dataset_folder(info.id)).X.toarray(), COUNTS)
    assert "cell_type" in info.columns_of("label")


def dense(file: h5py.File) -> None:
    del file["assays/RNA/counts"]
    file["assays/RNA/counts"] = COUNTS


def version_5(file: h5py.File) -> None:
    assay = file["assays/RNA"]
    assay.create_group("layers")
    for name in ("counts", "data"):
        assay.move(name, f"layers/{name}")


def compound(file: h5py.File) -> None:
    """A table without factors may be one dataset."""
    del file["meta.data"]
    rows = np.array([(i, f"d{i % 2}".encode()) for i in range(8)], dtype=[("age", "<i4"), ("donor", "S4")])
    file["meta.data"] = rows


def no_features(file: h5py.File) -> None:
    """Newer writers name genes in the table of genes alone."""
    table = file["assays/RNA"].create_group("meta.data")
    table.create_dataset("_index", data=GENES, dtype=TEXT)
    table.attrs["_index"] = "_index"
    del file["assays/RNA/features"]


@pytest.mark.parametrize("edit", [dense, version_5, compound, no_features])
def test_other_writers_keep_the_same_counts(edit: Edit, tmp_path: Path) -> None:
    found, _ = read(written(tmp_path / "cells.h5seurat", edit), tmp_path)
    assert np.array_equal(found.X.toarray(), COUNTS)
    assert found.var_names.tolist() == GENES
    assert "donor" in found.obs


def test_another_assay_can_be_taken(tmp_path: Path) -> None:
    def two(file: h5py.File) -> None:
        assay = file.create_group("assays/ADT")
        assay.create_dataset("features", data=["CD3", "CD19"], dtype=TEXT)
        sparse(assay.create_group("counts"), COUNTS[:, :2])

    path = written(tmp_path / "cells.h5seurat", two)
    assert read(path, tmp_path)[0].n_vars == 5
    assert read(path, tmp_path, part="ADT")[0].var_names.tolist() == ["CD3", "CD19"]


def test_columns_of_another_length_are_named(tmp_path: Path) -> None:
    found, notes = read(
        written(
            tmp_path / "cells.h5seurat", lambda file: file["meta.data"].create_dataset("odd", data=[1, 2])
        ),
        tmp_path,
    )
    assert "odd" not in found.obs
    assert any("odd" in note for note in notes)


def no_counts(file: h5py.File) -> None:
    del file["assays/RNA/counts"], file["assays/RNA/data"]


def too_few_names(file: h5py.File) -> None:
    del file["cell.names"]
    file.create_dataset("cell.names", data=CELLS[:5], dtype=TEXT)


def genes_beyond(file: h5py.File) -> None:
    file["assays/RNA/counts/indices"][0] = 77


@pytest.mark.parametrize("edit", [no_counts, too_few_names, genes_beyond])
def test_what_does_not_go_together_is_refused_in_words(edit: Edit, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read(written(tmp_path / "cells.h5seurat", edit), tmp_path)
    assert "cells.h5seurat" in str(caught.value)
    assert caught.value.hint


def test_relative_expression_alone_is_x(tmp_path: Path) -> None:
    found, notes = read(
        written(tmp_path / "cells.h5seurat", lambda f: f.__delitem__("assays/RNA/counts")), tmp_path
    )
    np.testing.assert_allclose(found.X.toarray(), np.log1p(COUNTS))
    assert any("X holds data" in note for note in notes)
    assert isinstance(found.obs, pd.DataFrame)
