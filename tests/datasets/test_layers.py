"""Large matrices, written and read some cells at a time; and as layers of the user's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
from anndata import AnnData
from anndata.io import read_elem
from scipy.sparse import csr_matrix, random, vstack

from scviz.datasets.layers import layer_names, read_blocks, write_blocks
from scviz.datasets.readers import open_file
from scviz.datasets.writeback import write_labels
from scviz.errors import DataError
from scviz.workspace import Workspace


@pytest.fixture
def matrix() -> csr_matrix:
    """60 cells x 200 genes; a cell without a value comes first."""
    values = csr_matrix(random(60, 200, 0.2, "csr", np.float32, random_state=0))
    values.data[: values.indptr[1]] = 0
    values.eliminate_zeros()
    return values


@pytest.fixture
def layers(matrix: csr_matrix, tmp_path: Path) -> Path:
    """The matrix in a file of its own, written in two blocks."""
    path = tmp_path / "layers.h5"
    with h5py.File(path, "w") as file:
        write_blocks(file, "deep", [matrix[:1], matrix[1:]], n_genes=matrix.shape[1])
    return path


def test_blocks_are_one_matrix_for_anndata_and_for_us(layers: Path, matrix: csr_matrix) -> None:
    with h5py.File(layers, "r") as file:
        whole = read_elem(file["deep"])
        blocks = list(read_blocks(file["deep"], 25))
    assert [block.shape for block in blocks] == [(25, 200), (25, 200), (10, 200)]
    assert (whole != matrix).nnz == 0
    assert (vstack(blocks) != matrix).nnz == 0
    assert layer_names(layers) == ("deep",)
    assert layer_names(layers.with_name("absent.h5")) == ()


def test_a_matrix_becomes_a_layer(
    adata: AnnData, save: Callable[[AnnData], Path], workspace: Workspace, layers: Path, matrix: csr_matrix
) -> None:
    folder = workspace.dataset_folder(open_file(save(adata), workspace).id)
    write_labels(folder, layers.with_name("out.h5ad"), {}, model_note={}, layers=layers)
    copy = anndata.read_h5ad(layers.with_name("out.h5ad"))
    assert (copy.layers["deep"] != matrix).nnz == 0
    assert (copy.X != adata.X).nnz == 0


def test_genes_are_found_by_name_where_the_counts_have_others_than_the_file(
    adata: AnnData, save: Callable[[AnnData], Path], workspace: Workspace, layers: Path, matrix: csr_matrix
) -> None:
    order = np.random.default_rng(0).permutation(200)[:50]
    raw = adata.copy()
    few = adata[:, order].copy()
    few.X = few.X.toarray() - few.X.toarray().mean(axis=0)
    few.raw = raw
    info = open_file(save(few), workspace)
    assert info.counts.location == "raw/X"
    write_labels(
        workspace.dataset_folder(info.id), layers.with_name("out.h5ad"), {}, model_note={}, layers=layers
    )
    copy = anndata.read_h5ad(layers.with_name("out.h5ad"))
    assert (copy.layers["deep"] != matrix[:, order]).nnz == 0


def test_a_file_of_an_old_layout_gets_the_layer_too(
    file_of_2018: Path, workspace: Workspace, layers: Path, matrix: csr_matrix
) -> None:
    folder = workspace.dataset_folder(open_file(file_of_2018, workspace).id)
    write_labels(folder, layers.with_name("out.h5ad"), {}, model_note={}, layers=layers)
    copy = anndata.read_h5ad(layers.with_name("out.h5ad"))
    assert (copy.layers["deep"] != matrix).nnz == 0


def test_a_layer_of_the_user_is_never_overwritten(
    adata: AnnData, save: Callable[[AnnData], Path], workspace: Workspace, layers: Path
) -> None:
    adata.layers["deep"] = adata.X * 2
    folder = workspace.dataset_folder(open_file(save(adata), workspace).id)
    with pytest.raises(DataError, match="The file has its own deep"):
        write_labels(folder, layers.with_name("out.h5ad"), {}, model_note={}, layers=layers)
