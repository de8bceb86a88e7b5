"""Types with too few cells: which, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.enough_cells import large_labels
from scviz.errors import RequestError

WHERE = "The column 'type'"


def texts(**cells: int) -> np.ndarray:
    return np.repeat([*cells], [*cells.values()])


def test_rare_types_are_left_out_by_name() -> None:
    found = large_labels(texts(B=9, T=7, NK=3, pDC=1), column=WHERE, fewest=5)
    assert found.names == ("B", "T")
    assert found.notes == ("Left out, with too few cells: NK (3 cells), pDC (1 cell).",)


def test_two_types_of_which_one_is_rare_are_refused_with_the_rare_one_and_what_to_do() -> None:
    with pytest.raises(
        RequestError, match="has 1 cell type with 5 cells or more, and it takes two"
    ) as refused:
        large_labels(texts(B=40, T=3), column=WHERE, fewest=5)
    assert refused.value.hint.startswith("Too few cells have the cell type T (3 cells). Label more of them")
    with pytest.raises(RequestError, match="has 0 cell types") as refused:
        large_labels(texts(**{f"t{n}": 2 for n in range(8)}), column=WHERE, fewest=5)
    assert "cell types t0 (2 cells), t1 (2 cells)" in refused.value.hint
    assert "and 3 more" in refused.value.hint


def test_one_type_alone_asks_for_another_column() -> None:
    with pytest.raises(RequestError, match="has 1 label with 5 cells or more") as refused:
        large_labels(texts(B=40), column=WHERE, fewest=5, noun="label")
    assert refused.value.hint == "Choose a column with two labels or more."
