"""Words that are labels, and words that say that there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.datasets.labels import (
    NO_LABEL,
    alike_labels,
    is_label,
    joined_labels,
    labels_in,
    labels_of,
    no_labels,
)
from scviz.datasets.tables import Column
from scviz.errors import MissingColumnError, RequestError

WORDS = ("T cell", "Unassigned", "B cell", "doublet", "gone")
COLUMN = Column(name="type", values=np.array([2, 0, 1, -1, 3, 3, 0], dtype=np.int32), categories=WORDS)


def test_only_labels_have_codes_and_the_rest_is_counted_by_its_word() -> None:
    labels = labels_of(COLUMN)
    assert labels.names == ("T cell", "B cell")  # no cell has "gone"
    assert labels.codes.tolist() == [1, 0, -1, -1, -1, -1, 0]
    assert labels.left_out == {"": 1, "Unassigned": 1, "doublet": 2}
    assert labels.notes == (
        '4 of 7 cells have no label in type (empty: 1, "Unassigned": 1, "doublet": 2) and are left out of what is '
        "told by it.",
    )
    assert labels.texts.tolist() == ["B cell", "T cell", "", "", "", "", "T cell"]


def test_nothing_is_said_where_every_cell_has_a_label_or_no_column_is_named() -> None:
    assert labels_of(Column(name="type", values=np.zeros(3, dtype=np.int32), categories=("B",))).notes == ()
    assert no_labels(4).codes.tolist() == [-1] * 4
    assert no_labels(4).notes == ()


def test_a_word_that_somebody_asked_for_is_a_label() -> None:
    labels = labels_of(COLUMN, asked=("doublet",))
    assert labels.names == ("T cell", "B cell", "doublet")
    assert labels.left_out == {"": 1, "Unassigned": 1}


TWICE = Column(
    name="type",
    values=np.array([0, 1, 1, 2, 3, 4, 5, 6, -1], dtype=np.int32),
    categories=("b cell", "B cell", " B\u00a0 cell", "T_cell", "t cell ", "CD4+", "CD4-"),
)


def test_labels_that_differ_by_blanks_and_case_are_found_and_named() -> None:
    found = alike_labels(TWICE)
    assert [one.words for one in found] == [("B cell", "b cell", " B\u00a0 cell"), ("T_cell", "t cell ")]
    assert [one.n_cells for one in found] == [(2, 1, 1), (1, 1)]
    assert labels_of(TWICE).notes[-1] == (
        'In type "T_cell" (1 cell), "t cell " (1 cell) differ by blanks or the case of letters alone and count as 2 '
        "labels."
    )


def test_labels_that_are_joined_keep_their_cells_and_the_others() -> None:
    joined = joined_labels(TWICE)
    assert joined.strings() == ["B cell"] * 4 + ["T_cell"] * 2 + ["CD4+", "CD4-", ""]
    assert alike_labels(joined) == ()
    assert joined.values.dtype == np.int32
    assert TWICE.values.tolist() == [0, 1, 1, 2, 3, 4, 5, 6, -1]
    assert joined_labels(joined) is joined


def test_numbers_with_a_blank_between_are_not_joined() -> None:
    words = ("1 1", "11", "1_1", "stage 2", "stage2")
    column = Column(name="stage", values=np.arange(5, dtype=np.int32), categories=words)
    assert [one.words for one in alike_labels(column)] == [("1 1", "1_1"), ("stage 2", "stage2")]
    assert alike_labels(Column(name="percent", values=np.ones(3), categories=None)) == ()


def test_a_table_gives_the_same_labels_as_a_column() -> None:
    obs = pd.DataFrame({"type": pd.Categorical(COLUMN.strings("nan"))})
    assert labels_in(obs, "type").texts.tolist() == labels_of(COLUMN).texts.tolist()
    with pytest.raises(MissingColumnError, match="no column 'kind'"):
        labels_in(obs, "kind")


def test_numbers_are_no_labels() -> None:
    with pytest.raises(RequestError, match="does not name groups"):
        labels_of(Column(name="percent", values=np.ones(3), categories=None))


@given(
    st.sampled_from(sorted(NO_LABEL)),
    st.sampled_from([str.upper, str.title, str.lower]),
    st.text(" ", max_size=2),
)
def test_letters_and_spaces_make_no_difference(word: str, letters: object, space: str) -> None:
    assert callable(letters)
    assert not is_label(space + letters(word) + space)


@pytest.mark.parametrize("word", ["B cell", "Na+ cell", "NK", "other", "0", "unknown T cell"])
def test_other_words_are_labels(word: str) -> None:
    assert is_label(word)


def test_numbers_are_names_with_all_their_digits_and_no_point() -> None:
    obs = pd.DataFrame(
        {"cluster": [7.0, np.nan, 1234567.0, 1234568.0, 7.0], "half": [0.5, 1.5, 0.5, 0.5, 1.5]}
    )
    assert labels_in(obs, "cluster").texts.tolist() == ["7", "", "1234567", "1234568", "7"]
    assert labels_in(obs, "half").names == ("0.5", "1.5")
