"""Counts, genes and shares of each cell, counted some cells at a time."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.datasets import layers
from scviz.datasets.cell_quality import cells_with_genes, measure_cells
from scviz.datasets.gene_kinds import kinds_of_genes
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.readers import open_file
from scviz.workspace import Workspace
from tests.bad_cells import counts, open_bad_cells

COUNTS = np.array([[3, 0, 1, 0], [0, 5, 0, 5], [0, 0, 0, 0], [2, 2, 2, 2]])


@pytest.fixture
def small(workspace: Workspace, tmp_path: Path) -> Path:
    """Four cells with two plain genes, a mitochondrial and a ribosomal one."""
    cells = anndata.AnnData(
        X=csr_matrix(COUNTS.astype(np.float32)), var=pd.DataFrame(index=["CD3E", "MS4A1", "MT-ND1", "RPL3"])
    )
    cells.obs_names = [f"c{i}" for i in range(4)]
    cells.write_h5ad(tmp_path / "small.h5ad")
    return workspace.dataset_folder(open_file(tmp_path / "small.h5ad", workspace, name="small").id)


def test_a_small_dataset_counted_by_hand(small: Path) -> None:
    found = measure_cells(small)
    assert found.measures["counts"].tolist() == [4, 10, 0, 8]
    assert found.measures["genes"].tolist() == [2, 2, 0, 4]
    np.testing.assert_array_equal(found.measures["mitochondrial"], [0.25, 0, np.nan, 0.25])
    np.testing.assert_array_equal(found.measures["ribosomal"], [0, 0.5, np.nan, 0.25])
    assert found.gene_cells.tolist() == [2, 2, 2, 2]
    assert (found.n_mitochondrial, found.n_ribosomal) == (1, 1)


def test_genes_are_counted_in_kept_cells_alone(small: Path) -> None:
    assert cells_with_genes(small, np.array([True, False, True, False])).tolist() == [1, 0, 1, 0]


def test_how_many_cells_are_read_at_a_time_does_not_matter(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace.dataset_folder(open_bad_cells(workspace, tmp_path).id)
    whole, parts = measure_cells(folder), []
    read = layers.read_blocks
    monkeypatch.setattr("scviz.datasets.cell_quality.read_blocks", lambda node: read(node, 17))
    again = measure_cells(folder, parts.append)
    assert len(parts) == 13
    true = counts()
    assert again.measures["counts"].tolist() == true.sum(axis=1).tolist()
    for name, values in whole.measures.items():
        np.testing.assert_array_equal(again.measures[name], values)
    assert again.gene_cells.tolist() == (true > 0).sum(axis=0).tolist()
    kept = np.arange(len(true)) % 3 > 0
    assert cells_with_genes(folder, kept).tolist() == (true[kept] > 0).sum(axis=0).tolist()


@pytest.mark.parametrize("name", ["MT-ND1", "MT-RNR2", "mt-Co1", "mt-Atp6"])
def test_mitochondrial_genes_are_known_in_both_species(name: str) -> None:
    assert kinds_of_genes(GeneIdentifiers(ensembl=None, symbol=(name,))) == ("mitochondrial",)


@pytest.mark.parametrize(
    "name",
    [
        "RPL3",
        "RPL10A",
        "RPL36AL",
        "RPL22L1",
        "RPLP0",
        "RPSA",
        "RPS4X",
        "RPS4Y1",
        "RPS27A",
        "Rpl13a",
        "Rplp1",
        "Rpsa",
    ],
)
def test_ribosomal_genes_are_known_in_both_species(name: str) -> None:
    assert kinds_of_genes(GeneIdentifiers(ensembl=None, symbol=(name,))) == ("ribosomal",)


@pytest.mark.parametrize(
    "name",
    ["MTOR", "MT1X", "MRPL1", "MRPS5", "RPS6KA1", "RPS6KB1", "RPS19BP1", "RPS10-NUDT3", "RPLP0P2x", "RPRD1A"],
)
def test_what_only_looks_like_them_is_none(name: str) -> None:
    assert kinds_of_genes(GeneIdentifiers(ensembl=None, symbol=(name,))) == ("gene",)
