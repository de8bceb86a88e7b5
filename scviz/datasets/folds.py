"""Divide cells into folds, so that each is held out once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.split import Split, split_cells
from scviz.errors import RequestError


def fold_of_cells(
    labels: NDArray[np.str_] | Sequence[str],
    *,
    groups: NDArray[np.str_] | Sequence[str] | None = None,
    n_folds: int,
    seed: int,
) -> NDArray[np.int64]:
    """Give the fold of each cell, (N,) from 0; -1 for cells without a label or group.

    Cells of each label are spread evenly. With groups, a group is in one fold as a whole, and folds hold as equally
    many cells as whole groups allow; there are no more folds than groups.

    Parameters
    ----------
    labels
        (N,) label of each cell, '' where it has none.
    groups
        (N,) donor, batch or the like; '' where unknown.

    Raises
    ------
    RequestError
        If there are fewer than two groups.

    Examples
    --------
    >>> fold_of_cells(["B", "B", "T", "T", ""], n_folds=2, seed=0).tolist()[-1]
    -1
    """
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels, dtype=str)
    folds = np.full(len(labels), -1, dtype=np.int64)
    if groups is None:
        start = 0
        for label in np.unique(labels[labels != ""]):
            rows = rng.permutation(np.flatnonzero(labels == label))
            folds[rows] = (start + np.arange(len(rows))) % n_folds
            start += len(rows)  # so that rare labels do not all begin in the first fold
        return folds
    groups = np.asarray(groups, dtype=str)
    names, sizes = np.unique(groups[(labels != "") & (groups != "")], return_counts=True)
    if len(names) < 2:
        raise RequestError(
            "Whole groups can be held out only if there are two or more.",
            hint="Choose another column, or hold out single cells.",
        )
    held = np.zeros(min(n_folds, len(names)), dtype=np.int64)
    order = rng.permutation(len(names))
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold = int(held.argmin())
        folds[(groups == names[group]) & (labels != "")] = fold
        held[fold] += sizes[group]
    return folds


def split_by_fold(
    labels: NDArray[np.str_],
    folds: NDArray[np.int64],
    fold: int,
    *,
    groups: NDArray[np.str_] | None = None,
    validation_fraction: float,
    seed: int,
) -> Split:
    """Hold one fold out and draw validation cells from the others.

    Parameters
    ----------
    labels
        (N,) label of each cell, '' where it has none.
    folds
        (N,) as `fold_of_cells` gives them.
    groups
        (N,) groups that the folds are made of, if any.
    """
    test = np.flatnonzero(folds == fold)
    others = np.where((folds >= 0) & (folds != fold), labels, "")
    drawn = split_cells(others, test_fraction=validation_fraction, validation_fraction=0, seed=seed)
    absent = np.setdiff1d(labels[folds >= 0], labels[drawn.train])
    return Split(
        train=drawn.train,
        validation=drawn.test,
        test=test,
        held_out_groups=() if groups is None else tuple(sorted(set(groups[test].tolist()))),
        absent=tuple(absent.tolist()),
    )


def part_of(
    rows: NDArray[np.int64], labels: NDArray[np.str_], *, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a share of rows, each label alike: the rows that stay, and those that were drawn.

    Parameters
    ----------
    rows
        (R,) rows of cells with a label.
    labels
        (N,) label of each cell.
    """
    known = np.full(len(labels), "", dtype=labels.dtype)
    known[rows] = labels[rows]
    drawn = split_cells(known, test_fraction=fraction, validation_fraction=0, seed=seed)
    return drawn.train, drawn.test
