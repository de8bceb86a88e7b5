"""Cells with raw counts become a screen."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from scviz.datasets.columns import cell_column, gene_identifiers
from scviz.datasets.conditions import guess_column, read_conditions, symbols_of
from scviz.datasets.expression import variable_genes
from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.screen import Screen, label
from scviz.datasets.screen_cells import screen_of
from scviz.errors import DataError, MissingColumnError
from scviz.workspace import Workspace

COUNTS = np.array([[1, 3, 0], [2, 2, 4], [0, 5, 5], [9, 1, 0], [1, 1, 2]], dtype=np.float32)
MAPPING = {"ctrl": (), "B+ctrl": ("B",), "A+Z": ("A", "Z"), "odd": None}


def cells() -> anndata.AnnData:
    obs = pd.DataFrame({"condition": ["B+ctrl", "ctrl", "odd", "A+Z", "ctrl"]}, index=list("vwxyz"))
    return anndata.AnnData(sparse.csr_matrix(COUNTS), obs=obs, var=pd.DataFrame(index=["A", "B", "C"]))


def test_cells_that_are_not_understood_are_left_out() -> None:
    screen = screen_of(cells(), "condition", MAPPING)
    assert screen.perturbations == ((), ("A", "Z"), ("B",))
    assert screen.codes.tolist() == [2, 0, 1, 0]
    assert screen.genes == ("A", "B", "C")


def test_expression_is_log_of_the_median_count_of_all_cells() -> None:
    screen = screen_of(cells(), "condition", MAPPING)  # 4, 8, 10, 10 and 4 counts
    np.testing.assert_allclose(screen.mean(("B",)), np.log1p([2, 6, 0]), rtol=1e-6)
    np.testing.assert_allclose(screen.control, np.log1p([2, 2, 4]), rtol=1e-6)


def test_expression_of_deep_cells_is_log_of_ten_thousand_counts() -> None:
    deep = cells()
    deep.X = deep.X * 1000
    screen = screen_of(deep, "condition", MAPPING)
    np.testing.assert_allclose(screen.mean(("B",)), np.log1p([2500, 7500, 0]), rtol=1e-6)


def test_means_are_added_up_in_double_precision() -> None:
    values = np.random.default_rng(0).uniform(0, 5, (2000, 3)).astype(np.float32)
    screen = Screen(
        expression=sparse.csr_matrix(values),
        genes=("A", "B", "C"),
        perturbations=((),),
        codes=np.zeros(2000, dtype=np.int64),
    )
    np.testing.assert_allclose(screen.control, values.astype(np.float64).mean(axis=0), atol=1e-12)


def test_the_cells_that_came_in_stay_as_they_are() -> None:
    adata = cells()
    screen_of(adata, "condition", MAPPING)
    assert np.array_equal(adata.X.toarray(), COUNTS)


def test_a_screen_without_control_or_column_is_refused() -> None:
    with pytest.raises(DataError, match="No cell is control"):
        screen_of(cells(), "condition", {"B+ctrl": ("B",)})
    with pytest.raises(MissingColumnError, match="no column 'guide'"):
        screen_of(cells(), "guide", MAPPING)


def test_perturbed_genes_are_kept_besides_the_variable_ones() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, (40, 60)).astype(np.float32)
    counts[:, 50:] *= rng.choice([0, 8], (40, 10))  # these vary most
    counts[:, 7] = 3
    names = [f"G{i}" for i in range(60)]
    obs = pd.DataFrame({"gene": ["ctrl", "G7"] * 20}, index=[f"c{i}" for i in range(40)])
    adata = anndata.AnnData(sparse.csr_matrix(counts), obs=obs, var=pd.DataFrame(index=names))
    whole = screen_of(adata, "gene", {"ctrl": (), "G7": ("G7",)})
    part = screen_of(adata, "gene", {"ctrl": (), "G7": ("G7",)}, most_genes=8)
    variable = {names[i] for i in variable_genes(whole.expression, 8)}
    assert "G7" not in variable
    assert set(part.genes) == variable | {"G7"}
    assert [name for name in whole.genes if name in part.genes] == list(part.genes)
    columns = [whole.column[name] for name in part.genes]
    assert np.array_equal(part.expression.toarray(), whole.expression.toarray()[:, columns])


def test_some_perturbations_are_a_screen_of_their_own() -> None:
    part = screen_of(cells(), "condition", MAPPING).only([("B",), ()])
    assert [label(one) for one in part.perturbations] == ["control", "B"]
    assert part.codes.tolist() == [1, 0, 0]


def test_the_knock_outs_of_papalexi_are_read_from_each_column(shared: Path, workspace: Workspace) -> None:
    path = shared / "data" / "papalexi_crispr_15k" / "papalexi_crispr_15k.h5ad"
    info = open_file(path, workspace, name="papalexi")
    folder = workspace.dataset_folder(info.id)
    symbols = symbols_of(gene_identifiers(folder))
    assert guess_column(info.columns, symbols) in ("condition", "perturbation")
    adata = read_counts(folder)
    numbers = []
    for column in ("condition", "perturbation", "grna"):
        conditions = read_conditions(cell_column(folder, column), symbols)
        screen = screen_of(adata, column, conditions.mapping)
        numbers.append({one: len(screen.rows(one)) for one in screen.perturbations})
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(numbers[0]) == 26
    assert (numbers[0][()], numbers[0][("IFNGR1",)], numbers[0][("SPI1",)]) == (1720, 1010, 34)
