"""Maps that a file brings along: found in every kind of file, and kept when cells are left out."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.own_embeddings import own_coordinates, own_embeddings
from scviz.datasets.readers import open_file
from scviz.datasets.steps import Step, apply_step
from scviz.errors import DataError
from scviz.workspace import Workspace


def opened(adata: AnnData, workspace: Workspace, tmp_path: Path) -> str:
    adata.write_h5ad(tmp_path / "own.h5ad")
    return open_file(tmp_path / "own.h5ad", workspace).id


@pytest.fixture
def drawn(adata: AnnData) -> AnnData:
    """The cells with five entries of `obsm`, two of them no map."""
    rng = np.random.default_rng(0)
    for name, width in (("X_pca", 10), ("X_tsne", 2), ("X_umap", 3), ("spatial", 2), ("X_one", 1)):
        adata.obsm[name] = rng.normal(size=(60, width)).astype(np.float32)
    adata.obsm["X_umap"][5] = np.nan
    adata.obsm["X_umap"][6, 1] = np.inf
    return adata


def test_maps_to_look_at_come_first_and_what_is_no_map_is_not_there(
    drawn: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    folder = workspace.dataset_folder(opened(drawn, workspace, tmp_path))
    assert own_embeddings(folder) == ("X_umap", "X_tsne", "spatial", "X_pca")
    places = own_coordinates(folder, "X_umap")
    assert places.shape == (60, 2)
    assert np.flatnonzero(np.isnan(places).any(axis=1)).tolist() == [5, 6]
    assert np.array_equal(own_coordinates(folder, "X_pca"), drawn.obsm["X_pca"][:, :2])


def test_a_file_without_maps_has_none_and_a_strange_name_is_refused(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    folder = workspace.dataset_folder(opened(adata, workspace, tmp_path))
    assert own_embeddings(folder) == ()
    with pytest.raises(DataError, match="no map 'X_umap'"):
        own_coordinates(folder, "X_umap")


def test_two_columns_are_a_map_where_no_entry_is(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    adata.obs["UMAP_1"], adata.obs["UMAP_2"] = np.linspace(0, 1.5, 60), np.linspace(2.5, 3, 60)
    adata.obs["tSNE_1"] = 0.5
    folder = workspace.dataset_folder(opened(adata, workspace, tmp_path))
    assert own_embeddings(folder) == ("UMAP_1",)
    assert np.allclose(own_coordinates(folder, "UMAP_1")[-1], [1.5, 3])
    adata.obsm["X_umap"] = np.ones((60, 2))
    folder = workspace.dataset_folder(opened(adata, workspace, tmp_path))
    assert own_embeddings(folder) == ("X_umap",)


def test_cells_that_are_left_keep_their_places(drawn: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    kept = np.arange(60) % 3 == 0
    made = apply_step(
        workspace, opened(drawn, workspace, tmp_path), Step(line="A third is kept.", cells=kept)
    )
    folder = workspace.dataset_folder(made.id)
    assert own_embeddings(folder) == ("X_umap", "X_tsne", "spatial", "X_pca")
    assert np.array_equal(own_coordinates(folder, "X_tsne"), drawn.obsm["X_tsne"][kept])


def test_a_zarr_store_brings_its_maps(drawn: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):  # of a format that is to go
        drawn.write_zarr(tmp_path / "own.zarr")
    folder = workspace.dataset_folder(open_file(tmp_path / "own.zarr", workspace).id)
    assert own_embeddings(folder)[0] == "X_umap"
    assert np.array_equal(own_coordinates(folder, "X_tsne"), drawn.obsm["X_tsne"])
