"""Selections that links name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scviz.errors import DataError
from scviz.workspace import selections
from scviz.workspace.packed_rows import pack_rows, unpack_rows
from scviz.workspace.selections import keep_selection, kept_selection


def test_a_million_cells_come_back_exactly_in_at_most_125_kilobytes(tmp_path: Path) -> None:
    rows = np.flatnonzero(np.random.default_rng(0).random(1_000_000) < 0.5)
    name = keep_selection(tmp_path, pack_rows(rows, level=1))
    assert len(name) == 12
    assert np.array_equal(unpack_rows(kept_selection(tmp_path, name)), rows)
    (path,) = (tmp_path / "selections").iterdir()
    assert path.stat().st_size <= 126_000


def test_equal_cells_are_kept_once(tmp_path: Path) -> None:
    names = {
        keep_selection(tmp_path, pack_rows(np.array(rows), level=1)) for rows in ([3, 1], [1, 3], [1, 3, 3])
    }
    assert len(names) == 1


@pytest.mark.parametrize("name", ["", "0" * 12, "../../info", "ABCDEF123456", "0" * 4000, "a\x00b"])
def test_a_name_of_nothing_is_refused_in_words(tmp_path: Path, name: str) -> None:
    keep_selection(tmp_path, b"cells")
    with pytest.raises(DataError, match="does not have"):
        kept_selection(tmp_path, name)


def test_a_selection_of_one_dataset_is_none_of_another(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    name = keep_selection(tmp_path / "one", b"cells")
    with pytest.raises(DataError, match="does not have"):
        kept_selection(tmp_path / "other", name)


def test_what_nobody_looks_at_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MOST", 2)
    first, second = (keep_selection(tmp_path, word) for word in (b"first", b"second"))
    for at, name in enumerate((first, second)):
        os.utime(tmp_path / "selections" / f"{name}.rows", (at, at))
    kept_selection(tmp_path, first)
    third = keep_selection(tmp_path, b"third")
    assert {path.stem for path in (tmp_path / "selections").iterdir()} == {first, third}
