"""A split of cells of one's own, read and refused in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from scviz.datasets.own_cell_split import keep_split, kept_split, parts_of_column, parts_of_text
from scviz.datasets.readers import open_file
from scviz.errors import DataError, MissingColumnError, RequestError
from scviz.workspace import Workspace

CELLS = ["a", "b", "c", "d"]


def test_a_column_may_use_the_words_of_the_field_and_leave_cells_out() -> None:
    obs = pd.DataFrame({"fold": ["Training", "valid", "TEST", None]}, index=CELLS)
    assert parts_of_column(obs, "fold").tolist() == ["train", "validation", "test", ""]


@pytest.mark.parametrize(
    "header", ["", "cell,fold\n", ",fold\n", "\ufeff", "\ufeffcell,fold\n", "d,\n", "d,unassigned\n"]
)
def test_a_file_may_have_a_header_and_names_cells_in_any_order(header: str) -> None:
    assert parts_of_text(f"{header}c,test\na,train\nb,\n", CELLS).tolist() == ["train", "", "test", ""]
    assert parts_of_text("c\ttest\na\ttrain\n", CELLS).tolist() == ["train", "", "test", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,train\nb,fold 3\n", "says 'fold 3', which is no part of a split"),
        ("b,trian\na,train\nc,test\n", "says 'trian', which is no part of a split"),
        ("a,train\na,test\n", "puts the cell 'a' into two parts"),
        (
            "a,train\nx,test\ny,test\n",
            "2 of the 3 cells that the split names are not in this dataset, 'x' for one",
        ),
        ("a,train\nb,train\n", "names no cell as test"),
        ("a,test\n", "names no cell as train"),
        ("a\nb\n", "has no second column"),
        ("", "names no cell as train"),
    ],
)
def test_a_bad_file_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refusal:
        parts_of_text(text, CELLS)
    assert refusal.value.hint


def test_a_bad_column_is_refused_in_words() -> None:
    obs = pd.DataFrame({"fold": ["train", "3", "test", "test"]}, index=CELLS)
    with pytest.raises(RequestError, match="The column 'fold' says '3'"):
        parts_of_column(obs, "fold")
    with pytest.raises(MissingColumnError, match="no column 'folds'"):
        parts_of_column(obs, "folds")


def test_the_same_text_is_kept_once_and_read_again(adata, workspace: Workspace, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    folder = workspace.dataset_folder(open_file(tmp_path / "cells.h5ad", workspace).id)
    text = "CELL00-1,train\nCELL03-1,test\n"
    name = keep_split(text, folder)
    assert keep_split(text, folder) == name
    assert keep_split(text.replace("test", "TEST"), folder) != name
    parts = kept_split(name, folder)
    assert parts[[0, 3]].tolist() == ["train", "test"]
    assert (parts == "").sum() == 58
    with pytest.raises(RequestError, match="not in this dataset"):
        keep_split("x,train\n", folder)
    with pytest.raises(DataError, match="no split"):
        kept_split("../info.json", folder)
