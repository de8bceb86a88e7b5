from __future__ import annotations

import h5py
import numpy as np

from scviz.datasets.cell_filter import (
    BINS,
    NO_LABEL,
    Condition,
    Values,
    even_ends,
    histogram,
    passing,
    values_of,
)
from scviz.datasets.columns import COUNTS, gene_values
from tests.conftest import Opened

NUMBERS = Values(values=np.array([0.0, 1.0, 2.0, np.nan], dtype=np.float32))
TYPES = Values(values=np.array([0, 1, 2, 0], dtype=np.int32), names=("B", "T", NO_LABEL))


def test_ends_of_a_range_pass_and_missing_values_do_not() -> None:
    asked = Condition(kind="number", name="x", low=1.0, high=2.0)
    assert passing([asked], [NUMBERS]).passes.tolist() == [False, True, True, False]


def test_range_without_ends_passes_all() -> None:
    assert passing([Condition(kind="number", name="x")], [NUMBERS]).n == 4


def test_each_histogram_is_of_cells_that_pass_the_others() -> None:
    asked = [
        Condition(kind="number", name="x", low=1.0),
        Condition(kind="category", name="y", left_out=("T",)),
    ]
    found = passing(asked, [NUMBERS, TYPES])
    assert found.passes.tolist() == [False, False, True, False]
    assert found.others[0].tolist() == [True, False, True, True]
    assert found.others[1].tolist() == [False, True, True, False]
    assert histogram(TYPES, found.others[1]).tolist() == [0, 1, 1]
    assert histogram(NUMBERS, found.others[0]).sum() == 2


def test_a_slider_over_whole_steps_lets_all_pass_at_its_ends() -> None:
    for low, high in ((0.0, 4.7812), (-3.3, -3.2999), (1e-7, 2e-7), (0.0, 1e6), (-1.0, 12.0)):
        first, last, step = even_ends(low, high)
        assert first <= low < high <= last
        assert 100 <= (last - first) / step <= 1002


def test_words_name_a_group() -> None:
    assert Condition(kind="gene", name="CD3E", low=1.25).words == "CD3E from 1.25"
    assert (
        Condition(kind="category", name="type", left_out=("B", NO_LABEL)).words == "type without B, no label"
    )
    assert Condition(kind="number", name="x").words == ""


def test_a_gene_is_zero_where_it_was_not_seen(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    rows, values = gene_values(folder, "GENE7")
    given = values_of(folder, "gene", "GENE7", n_cells=60)
    assert given.values[rows].tolist() == values.tolist()
    assert np.count_nonzero(given.values) == len(rows)
    assert len(histogram(given, np.ones(60, dtype=bool))) == BINS


def test_cells_of_no_type_are_a_category_of_their_own(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    with h5py.File(folder / COUNTS, "r+") as file:
        file["obs/cell_type/codes"][:20] = -1
    given = values_of(folder, "category", "cell_type", n_cells=60)
    assert given.names == ("B cell", "NK cell", "T cell", NO_LABEL)
    left = Condition(kind="category", name="cell_type", left_out=(NO_LABEL,))
    assert passing([left], [given]).passes.tolist() == [False] * 20 + [True] * 40
