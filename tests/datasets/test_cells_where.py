"""Cells by an expression: what it reads, what it finds, what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scviz.datasets.cell_query import Both, Comparison, Either, Not, read_query
from scviz.datasets.cells_where import cells_where
from scviz.datasets.expression import depth_of, log_expression
from scviz.datasets.readers import open_file
from scviz.errors import RequestError
from scviz.workspace import Workspace


@pytest.fixture
def folder(adata: AnnData, workspace: Workspace, tmp_path: Path) -> Path:
    """The 60 cells, some without a type or a number; a column has the name of a gene."""
    adata.obs.loc[adata.obs_names[:5], "cell_type"] = np.nan
    adata.obs.loc[adata.obs_names[:3], "percent_mt"] = np.nan
    adata.obs["GENE7"] = np.arange(60.0) / 7
    adata.obs["percent mito"] = adata.obs["percent_mt"]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return workspace.dataset_folder(open_file(tmp_path / "cells.h5ad", workspace).id)


def mask(folder: Path, text: str) -> NDArray[np.bool_]:
    return cells_where(folder, text, 60).yes


@pytest.fixture
def expression(adata: AnnData) -> dict[str, NDArray[np.float32]]:
    values = log_expression(adata.X, depth_of(adata)).toarray()
    return {name: values[:, i] for i, name in enumerate(adata.var_names)}


def test_and_binds_more_than_or_and_not_more_than_both() -> None:
    a, b, c = (Comparison(name=name, sign=">", value="1") for name in "abc")
    assert read_query("a>1 or b>1 and not c>1") == Either(parts=(a, Both(parts=(b, Not(part=c)))))
    assert read_query("(a > 1 OR b > 1) And c > 1") == Both(parts=(Either(parts=(a, b)), c))


@pytest.mark.parametrize(
    ("text", "name", "sign", "value"),
    [
        ("HLA-DRA>=-1.5e-3", "HLA-DRA", ">=", "-1.5e-3"),
        ("AC012345.1 != 0", "AC012345.1", "!=", "0"),
        ('"percent mito" < 5', "percent mito", "<", "5"),
        ("`a b` = 'it is \"so\"'", "a b", "==", 'it is "so"'),
        ("type == \u201cB cell\u201d", "type", "==", "B cell"),
        ("'and' == not_this", "and", "==", "not_this"),
    ],
)
def test_names_and_values_are_read_as_they_are_written(text: str, name: str, sign: str, value: str) -> None:
    assert read_query(text) == Comparison(name=name, sign=sign, value=value)


def test_genes_are_compared_by_log_expression(
    folder: Path, expression: dict[str, NDArray[np.float32]]
) -> None:
    g1, g2, g3 = (expression[name] for name in ("GENE1", "GENE21", "GENE41"))
    found = mask(folder, "GENE1 > 1 and (GENE21 > 0 or not GENE41 >= 1.2)")
    assert np.array_equal(found, (g1 > 1) & ((g2 > 0) | ~(g3 >= 1.2)))
    assert 0 < found.sum() < 60
    assert np.array_equal(mask(folder, "GENE2 == 0"), expression["GENE2"] == 0)


@pytest.mark.parametrize("name", ["gene3", "ENSG90000000003", "ensg90000000003.4", "gene:GENE3"])
def test_a_gene_is_found_by_symbol_id_and_in_other_letters(folder: Path, name: str) -> None:
    assert np.array_equal(mask(folder, f"{name} > 1"), mask(folder, "GENE3 > 1"))


def test_columns_are_compared_by_value_and_number(folder: Path, adata: AnnData) -> None:
    types, numbers = adata.obs["cell_type"], adata.obs["percent_mt"]
    assert np.array_equal(mask(folder, 'cell_type == "B cell"'), types == "B cell")
    assert np.array_equal(mask(folder, '"percent mito" <= 5'), numbers <= 5)
    assert np.array_equal(mask(folder, "column:GENE7 > 2"), np.arange(60) > 14)


def test_a_cell_whose_value_is_missing_is_on_neither_side(folder: Path) -> None:
    for text in ('cell_type == "B cell"', 'cell_type != "B cell"', "percent_mt > 5"):
        found = cells_where(folder, text, 60)
        missing = 3 if "percent" in text else 5
        assert not (found.yes | found.no)[:missing].any()
        assert np.all(found.yes[missing:] ^ found.no[missing:])
        turned = cells_where(folder, f"not ({text})", 60)
        assert np.array_equal(turned.yes, found.no)
    either = cells_where(folder, 'cell_type == "B cell" or GENE1 >= 0', 60)
    assert either.yes.all()  # the missing type no longer matters
    both = cells_where(folder, 'cell_type == "B cell" and GENE1 < 0', 60)
    assert both.no.all()


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("GENE1x > 1", "no gene or column 'GENE1x'", "GENE1"),
        ("cel_type == 'B cell'", "no gene or column 'cel_type'", "cell_type"),
        ("gene:donor > 1", "no gene 'donor'", "Near it"),
        ("cell_type == 'b cells'", "no value 'b cells'", "B cell"),
        ("cell_type > 1", "have no order", 'cell_type == "'),
        ("GENE1 == high", "GENE1 is a gene, and 'high' is no number", "GENE1 > 1.5"),
        ("GENE1 > 0,5", "'0,5' is no number", "1.5"),
        ("percent_mt == low", "holds numbers", "percent_mt"),
        ("GENE7 > 1", "a gene and a column", "gene:GENE7 or column:GENE7"),
        ("", "is empty", "CD3E"),
        ("GENE1", "at the end: there should be one of ==", "CD3E"),
        ("GENE1 >", "at the end: there should be a value", "CD3E"),
        ("GENE1 > 1 GENE2 > 1", "at 'GENE2': there should be and", "CD3E"),
        ("cell_type == B cell", "at 'cell': there should be and", "CD3E"),
        ("GENE1 > 1 and", "at the end: there should be a gene", "CD3E"),
        ("(GENE1 > 1", "a closing bracket", "CD3E"),
        ("GENE1 > 1)", "at '\\)'", "CD3E"),
        ("GENE1 > 'x", "a quote is not closed", "CD3E"),
        ("GENE1 ! 2", "'!' is not understood", "CD3E"),
        ("1 < GENE1 < 2", "at '<'", "CD3E"),
        ("__import__('os').system('true') == 1", "at '\\('", "CD3E"),
        ("(" * 200 + "GENE1 > 1" + ")" * 200, "nested more than 50", "brackets"),
        ("not " * 900 + "GENE1 > 1", "nested more than 50", "brackets"),
        ("GENE1 > 1 or " * 500 + "GENE1 > 1", "6,509 letters", "map"),
    ],
)
def test_what_cannot_be_read_or_found_is_refused_with_the_place_and_what_is_near(
    folder: Path, text: str, why: str, hint: str
) -> None:
    with pytest.raises(RequestError, match=why) as refusal:
        mask(folder, text)
    assert hint in refusal.value.hint


@given(st.text(alphabet="GENE123 ()<>=!'\"`andort.,-\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_query(text)
    except RequestError:
        return
    assert any(sign in text for sign in "=<>")
