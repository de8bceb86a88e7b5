"""Cells are dealt into folds: evenly within each type, and by whole groups."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.folds import fold_of_cells, split_by_fold
from scviz.errors import RequestError


def test_folds_are_even_and_never_more_than_groups() -> None:
    labels = np.array(["a"] * 50 + ["b"] * 7 + [""] * 3)
    folds = fold_of_cells(labels, n_folds=5, seed=1)
    assert (folds[-3:] == -1).all()
    for label in ("a", "b"):
        sizes = np.bincount(folds[labels == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    groups = np.repeat(["x", "y", "z"], 20)
    folds = fold_of_cells(labels, groups=groups, n_folds=5, seed=1)
    assert set(folds.tolist()) == {-1, 0, 1, 2}
    split = split_by_fold(labels, folds, 0, groups=groups, validation_fraction=0.1, seed=0)
    assert len(split.held_out_groups) == 1
    with pytest.raises(RequestError, match="two or more"):
        fold_of_cells(labels, groups=np.full(60, "x"), n_folds=2, seed=0)
