"""Rows of cells as bits."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.workspace.packed_rows import pack_rows, unpack_mask, unpack_rows


@pytest.mark.parametrize("rows", [[], [0], [7], [8], [3, 599], [599, 3, 3]])
def test_rows_come_back_as_rows_and_as_a_mask(rows: list[int]) -> None:
    wanted = np.array(sorted(set(rows)), dtype=np.int64)
    for _ in range(3):
        used = np.full(600, 255, dtype=np.uint8)  # memory that is used again
        del used
        packed = pack_rows(np.array(rows, dtype=np.int64))
        assert np.array_equal(unpack_rows(packed), wanted)
        assert np.array_equal(np.flatnonzero(unpack_mask(packed, 600)), wanted)


def test_rows_beyond_the_cells_are_dropped() -> None:
    assert np.flatnonzero(unpack_mask(pack_rows(np.array([1, 9])), 5)).tolist() == [1]
