"""What pages read of an opened dataset."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.columns import (
    cell_column,
    cell_names,
    gene_identifiers,
    gene_matches,
    gene_names,
    gene_values,
    write_genes,
)
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.readers import open_file
from scviz.errors import DataError, MissingColumnError
from scviz.workspace import Workspace


@pytest.fixture
def folder(adata: AnnData, save: Callable[[AnnData], Path], workspace: Workspace) -> Path:
    adata.obsm["X_umap"] = np.arange(120.0).reshape(60, 2)
    return workspace.dataset_folder(open_file(save(adata), workspace).id)


def test_a_gene_has_log_values_in_the_cells_that_show_it(folder: Path, adata: AnnData) -> None:
    counts = adata.X.toarray().astype(np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    expected = np.log1p(counts / totals * np.median(totals))[:, 6]  # these cells have few counts
    rows, values = gene_values(folder, "GENE7")
    assert rows.tolist() == np.flatnonzero(expected).tolist()
    assert values == pytest.approx(expected[rows], rel=1e-5)


def test_what_is_read_cannot_be_changed(folder: Path) -> None:
    arrays = (*gene_values(folder, "GENE7"), cell_column(folder, "donor").values)
    assert not any(array.flags.writeable for array in arrays)


def test_an_unknown_gene_is_refused_with_genes_like_it(folder: Path) -> None:
    with pytest.raises(DataError, match="no gene 'gene19'") as caught:
        gene_values(folder, "gene19")
    assert "GENE19, GENE190" in caught.value.hint


def test_names_are_those_of_the_file(folder: Path, adata: AnnData) -> None:
    assert gene_names(folder) == tuple(adata.var_names)
    assert cell_names(folder) == tuple(adata.obs_names)
    assert gene_identifiers(folder).ensembl == tuple(adata.var["ensembl_id"])


def test_a_column_of_categories_has_codes(folder: Path, adata: AnnData) -> None:
    column = cell_column(folder, "cell_type")
    assert column.categories == ("B cell", "NK cell", "T cell")
    assert column.values.dtype == np.int32
    assert column.strings() == adata.obs["cell_type"].tolist()


def test_a_column_of_numbers_has_numbers(folder: Path, adata: AnnData) -> None:
    column = cell_column(folder, "percent_mt")
    assert column.categories is None
    assert column.values.tolist() == adata.obs["percent_mt"].tolist()


def test_a_missing_column_is_refused_with_those_there_are(folder: Path) -> None:
    with pytest.raises(MissingColumnError, match="no column 'x'") as caught:
        cell_column(folder, "x")
    assert caught.value.hint == "Its columns are: cell_type, donor, percent_mt."


def search_folder(folder: Path) -> Path:
    names = ["CD3E", "CD3D", "CD33", "ACD3", "MS4A1"]
    ids = GeneIdentifiers(ensembl=tuple(f"ENSG{i:011d}" for i in range(5)), symbol=(*names[:4], "CD20"))
    write_genes(folder, names, ids)
    return folder


def test_exact_hits_come_before_beginnings_before_parts(tmp_path: Path) -> None:
    assert gene_matches(search_folder(tmp_path), "cd3") == ["CD33", "CD3D", "CD3E", "ACD3"]
    assert gene_matches(tmp_path, "Cd3e") == ["CD3E"]


def test_the_name_that_is_written_so_comes_first(tmp_path: Path) -> None:
    names = ["ABC", "CD3E", "Cd3e"]
    write_genes(tmp_path, names, GeneIdentifiers(ensembl=None, symbol=("Cd3e", *names[1:])))
    assert gene_matches(tmp_path, " Cd3e ") == ["Cd3e", "ABC", "CD3E"]
    assert gene_matches(tmp_path, "CD3E") == ["CD3E", "ABC", "Cd3e"]


def test_genes_are_found_by_symbol_and_by_id_with_version(tmp_path: Path) -> None:
    assert gene_matches(search_folder(tmp_path), "cd20") == ["MS4A1"]
    assert gene_matches(tmp_path, "ENSG00000000002.7") == ["CD33"]


def test_no_more_genes_are_offered_than_asked_for(tmp_path: Path) -> None:
    assert len(gene_matches(search_folder(tmp_path), "c", limit=2)) == 2
    assert gene_matches(tmp_path, " ") == []


def test_sixty_thousand_genes_are_searched_at_once(tmp_path: Path) -> None:
    names = [f"GENE{i}" for i in range(60_000)]
    ensembl = tuple(f"ENSG{i:011d}" for i in range(60_000))
    write_genes(tmp_path, names, GeneIdentifiers(ensembl=ensembl, symbol=tuple(names)))
    gene_matches(tmp_path, "x")
    start = time.process_time()
    gene_matches(tmp_path, "g")
    assert time.process_time() - start < 1  # 0.1 s when the machine is free
