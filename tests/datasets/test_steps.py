"""Steps make datasets of their own, and what they began with stays as it is."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.columns import COUNTS, gene_values
from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.steps import Step, apply_step
from scviz.datasets.writeback import write_labels
from scviz.errors import RequestError
from scviz.workspace import DatasetInfo, Workspace
from scviz.workspace.records import file_hash
from tests.datasets.conftest import Save


@pytest.fixture
def first(adata: AnnData, save: Save, workspace: Workspace) -> DatasetInfo:
    adata.obsm["X_umap"] = np.arange(120.0).reshape(60, 2)
    return open_file(save(adata), workspace, name="cells")


def test_fewer_cells_and_genes_are_what_was_chosen(
    first: DatasetInfo, adata: AnnData, workspace: Workspace
) -> None:
    cells, genes = np.arange(60) % 3 > 0, np.array([5, 2, 150])
    info = apply_step(
        workspace, first.id, Step(line="20 cells were taken away.", cells=cells, genes=genes), name="less"
    )
    found = read_counts(workspace.dataset_folder(info.id))
    assert np.array_equal(found.X.toarray(), adata.X.toarray()[cells][:, genes])
    assert found.obs_names.tolist() == adata.obs_names[cells].tolist()
    assert found.var_names.tolist() == adata.var_names[genes].tolist()
    assert np.array_equal(found.obsm["X_umap"], adata.obsm["X_umap"][cells])
    assert (info.parent, info.n_cells, info.n_genes) == (first.id, 40, 3)
    assert info.history == (*first.history, "20 cells were taken away.")
    rows, _ = gene_values(workspace.dataset_folder(info.id), adata.var_names[2])
    assert rows.tolist() == np.flatnonzero(adata.X.toarray()[cells][:, 2]).tolist()


def test_what_a_step_began_with_stays(first: DatasetInfo, workspace: Workspace) -> None:
    counts = workspace.dataset_folder(first.id) / COUNTS
    before = file_hash(counts)
    info = apply_step(workspace, first.id, Step(line="Half.", cells=np.arange(60) < 30))
    assert info.id != first.id
    assert file_hash(counts) == before
    assert workspace.dataset(info.parent) == first


def test_the_same_step_is_done_once(first: DatasetInfo, workspace: Workspace) -> None:
    step = Step(line="Half.", cells=np.arange(60) < 30)
    assert apply_step(workspace, first.id, step) == apply_step(workspace, first.id, step)
    other = Step(line="Half.", cells=np.arange(60) >= 30)
    assert apply_step(workspace, first.id, other).id != apply_step(workspace, first.id, step).id


def test_results_of_fewer_cells_are_given_back_with_those_cells(
    first: DatasetInfo, workspace: Workspace, tmp_path: Path
) -> None:
    info = apply_step(workspace, first.id, Step(line="Half.", cells=np.arange(60) < 30))
    folder = workspace.dataset_folder(info.id)
    write_labels(folder, tmp_path / "out.h5ad", {"scviz_a": np.arange(30)}, model_note={})
    assert anndata.read_h5ad(tmp_path / "out.h5ad").obs["scviz_a"].tolist() == list(range(30))


@pytest.mark.parametrize("step", [{"cells": np.zeros(60, dtype=bool)}, {"genes": np.array([], dtype=int)}])
def test_nothing_left_is_refused(
    step: dict[str, np.ndarray], first: DatasetInfo, workspace: Workspace
) -> None:
    with pytest.raises(RequestError, match="would be left"):
        apply_step(workspace, first.id, Step(line="None.", **step))
