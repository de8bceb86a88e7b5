"""Tables as CSV: what begins like a formula is a text, and numbers stay numbers."""

from __future__ import annotations

import csv
from io import StringIO

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.workspace.csv_files import FORMULA, csv_text, frame_csv, guarded

FORMULAS = ("=1+1", "+CD4", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "--", "=", "-Inf gene")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_would_be_a_formula_is_none(text: str) -> None:
    own = "'" + text.replace("\r", "\n")
    frame = pd.DataFrame({text: [text, "plain"], "kind": pd.Categorical([text, "b"]), "n": [-1.5, 2.0]})
    rows = list(csv.reader(StringIO(frame_csv(frame), newline="")))
    assert rows[0] == [own, "kind", "n"]
    assert rows[1] == [own, own, "-1.5"]
    assert rows[2] == ["plain", "b", "2.0"]
    written = csv_text([[text, -2, 3.5, ""]])
    assert next(csv.reader(StringIO(written, newline=""))) == [own, "-2", "3.5", ""]


@pytest.mark.parametrize("number", [-1, -0.5, "-0.5", "+3e-5", "-inf", "1", 5])
def test_numbers_stay_numbers(number: object) -> None:
    assert guarded(number) == number


def test_a_strand_is_no_formula() -> None:
    assert [guarded("+"), guarded("-")] == ["+", "-"]


def test_columns_of_one_name_and_missing_values_are_written() -> None:
    frame = pd.DataFrame([["=a", None, 1], ["b", float("nan"), 2]], columns=["x", "x", "n"])
    assert frame_csv(frame) == "x,x,n\n'=a,,1\nb,,2\n"


@given(st.lists(st.text(), min_size=1))
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(texts: list[str]) -> None:
    for text in map(guarded, texts):
        if text.startswith(FORMULA) and text not in ("+", "-"):
            float(text)
