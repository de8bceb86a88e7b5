"""Files of every kind that users bring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData

Save = Callable[[AnnData], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a dataset as h5ad and return the file."""

    def write(adata: AnnData) -> Path:
        path = tmp_path / "cells.h5ad"
        adata.write_h5ad(path)
        return path

    return write


@pytest.fixture
def log_values(adata: AnnData) -> Callable[[float], np.ndarray]:
    """Return log1p of counts per cell of a given sum, dense float32."""

    def values(target: float) -> np.ndarray:
        counts = adata.X.toarray().astype(np.float64)
        return np.log1p(counts / counts.sum(axis=1, keepdims=True) * target).astype(np.float32)

    return values


@pytest.fixture
def file_of_2018(adata: AnnData, tmp_path: Path) -> Path:
    """A file as AnnData wrote it until 2019: compound tables, categories in uns, raw.X beside X."""
    path = tmp_path / "old.h5ad"
    counts = adata.X
    types = adata.obs["cell_type"].cat
    obs = np.zeros(adata.n_obs, dtype=[("index", "S16"), ("cell_type", "i1"), ("percent_mt", "<f4")])
    obs["index"], obs["cell_type"] = adata.obs_names.to_numpy(dtype="S16"), types.codes
    var = np.zeros(adata.n_vars, dtype=[("index", "S16"), ("gene_ids", "S20")])
    var["index"] = adata.var_names.to_numpy(dtype="S16")
    var["gene_ids"] = adata.var["ensembl_id"].to_numpy(dtype="S20")
    obsm = np.zeros(adata.n_obs, dtype=[("X_umap", "<f8", (2,))])
    with h5py.File(path, "w") as file:
        file["X"] = counts.toarray() - counts.toarray().mean(axis=0)
        file["obs"], file["var"], file["obsm"], file["raw.var"] = obs, var, obsm, var
        raw = file.create_group("raw.X")
        raw.attrs["h5sparse_format"], raw.attrs["h5sparse_shape"] = "csr", counts.shape
        for part in ("data", "indices", "indptr"):
            raw[part] = getattr(counts, part)
        file["uns/cell_type_categories"] = np.array(list(types.categories), dtype="S16")
        file["uns/cell_type_colors"] = np.array(["#ff0000", "#00ff00", "#0000ff"], dtype="S7")
    return path


@pytest.fixture
def file_of_2020(adata: AnnData, tmp_path: Path) -> Path:
    """A file as AnnData wrote it in 2020: tables as groups, categories in `__categories` with a reference."""
    path = tmp_path / "older.h5ad"
    types = adata.obs["cell_type"].cat
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        matrix = file.create_group("X")
        matrix.attrs["encoding-type"], matrix.attrs["shape"] = "csr_matrix", adata.shape
        for part in ("data", "indices", "indptr"):
            matrix[part] = getattr(adata.X, part)
        for name, names in (("obs", adata.obs_names), ("var", adata.var_names)):
            table = file.create_group(name)
            table.attrs["_index"], table.attrs["encoding-type"] = "_index", "dataframe"
            table.create_dataset("_index", data=names.to_list(), dtype=text)
            order = ["cell_type"] if name == "obs" else []
            table.attrs.create("column-order", order, dtype=text)
        obs = file["obs"]
        obs.create_dataset("__categories/cell_type", data=list(types.categories), dtype=text)
        obs["cell_type"] = types.codes.to_numpy()
        obs["cell_type"].attrs["categories"] = obs["__categories/cell_type"].ref
    return path
