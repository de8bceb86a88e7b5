"""Which cells are trained on, which are held out, and what is asked of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.enough_cells import large_labels
from scviz.datasets.expression import depth_of
from scviz.datasets.folds import fold_of_cells, part_of, split_by_fold
from scviz.datasets.labels import Labels, labels_in
from scviz.datasets.own_cell_split import kept_split, parts_of_column
from scviz.datasets.split import Split, split_cells
from scviz.errors import RequestError
from scviz.metrics.evidence import counted
from scviz.tasks.annotation import TRAINED, Request
from scviz.tasks.annotation.plan import FIRST, Plan
from scviz.tasks.annotation.refusals import FEWEST_CELLS
from scviz.training import Cells

VALIDATION_FRACTION = 0.1
FEWEST_CALIBRATING = 40
"""Fewer cells are not set aside: what they promise would hold on average, and be off by 5 % in any one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The cells and what is asked of each."""

    adata: AnnData
    types: tuple[str, ...]
    codes: NDArray[np.int64]
    """(N,) position in `types`; -1 for cells without a label."""
    labels: Labels
    """As the file has them: of rare types, too, and of cells that are left out."""
    split: Split
    calibration: NDArray[np.int64]
    """(L,) rows of labeled cells in no part of the split, which set how odd a cell may be; empty for too few cells."""
    groups: NDArray[np.str_] | None
    """(N,) group of each cell, where whole groups are held out."""
    n_tokens: NDArray[np.int64]
    """(N,) length of each cell for the model."""
    notes: tuple[str, ...]

    @property
    def cells(self) -> Cells:
        """The cells of the split that are trained on."""
        return Cells(train=self.split.train, validation=self.split.validation, lengths=self.n_tokens)


def own_parts(request: Request, adata: AnnData, folder: Path) -> NDArray[np.str_] | None:
    """Read the own split of a request, (N,) the part of each cell; None where it asks for none.

    Parameters
    ----------
    folder
        Folder of the dataset.

    Raises
    ------
    DataError, MissingColumnError, RequestError
        If it is gone or cannot be read.
    """
    if request.split_column:
        return parts_of_column(adata.obs, request.split_column)
    return kept_split(request.split_file, folder) if request.split_file else None


def gather(
    request: Request,
    adata: AnnData,
    n_tokens: NDArray[np.int64],
    *,
    parts: NDArray[np.str_] | None = None,
    plan: Plan = FIRST,
) -> Inputs:
    """Read the labels and split the cells.

    Parameters
    ----------
    n_tokens
        (N,) length of each cell for the model; cells without a token are in no part.
    parts
        (N,) own split of the cells, as `own_parts` reads it.
    plan
        Which repeat, and which of its folds.

    Raises
    ------
    MissingColumnError
        If the dataset lacks the label or the group column.
    RequestError
        If fewer than two types have enough cells, or the split leaves too few.
    """
    known_labels = labels_in(adata.obs, request.label_key)
    labels, notes = known_labels.texts, [*known_labels.notes]
    groups = None
    if request.group_key is not None:
        known_groups = labels_in(adata.obs, request.group_key)
        groups = known_groups.texts
        notes += known_groups.notes
    unseen = n_tokens == 0
    if unseen.any():
        labels = np.where(unseen, "", labels)
        notes.append(
            f"The model sees no gene in {counted(int(unseen.sum()), 'cell')}, left out of all that follows."
        )
    if parts is not None and (parts == "").any():
        labels = np.where(parts == "", "", labels)
        notes.append(f"No part in the split, and left out: {counted(int((parts == '').sum()), 'cell')}.")
    large = large_labels(labels, column=f"The column {request.label_key!r}", fewest=FEWEST_CELLS)
    types = large.names
    notes += large.notes
    at = {name: i for i, name in enumerate(types)}
    codes = np.array([at.get(label, -1) for label in labels], dtype=np.int64)
    known = np.where(codes < 0, "", labels)
    split, said = _split(request, known, groups, parts=parts, plan=plan)
    train, calibration = _set_aside(request, split.train, known, seed=request.seed + plan.seed)
    if request.mode in TRAINED and not len(calibration):
        said.append(
            f"No sets of types: fewer than {FEWEST_CALIBRATING} cells could be set aside to tell how odd a cell of a "
            "type may be."
        )
    return Inputs(
        adata=adata,
        types=types,
        codes=codes,
        labels=known_labels,
        split=replace(split, train=train),
        calibration=calibration,
        groups=groups,
        n_tokens=n_tokens,
        notes=(*notes, *depth_of(adata).notes, *said),
    )


def _split(
    request: Request,
    known: NDArray[np.str_],
    groups: NDArray[np.str_] | None,
    *,
    parts: NDArray[np.str_] | None,
    plan: Plan,
) -> tuple[Split, list[str]]:
    """Divide the cells, as asked for, and say what is special about it."""
    notes = []
    if request.folds:
        folds = fold_of_cells(known, groups=groups, n_folds=request.folds, seed=request.seed + plan.seed)
        split = split_by_fold(
            known, folds, plan.fold, groups=groups, validation_fraction=VALIDATION_FRACTION, seed=request.seed
        )
    elif parts is None:
        split = split_cells(
            known,
            groups=groups,
            test_fraction=request.test_fraction,
            validation_fraction=VALIDATION_FRACTION,
            seed=request.seed + plan.seed,
        )
    else:
        split = _own_split(known, parts, seed=request.seed)
        own = "" if ((parts == "validation") & (known != "")).any() else ", drawn from its training cells,"
        notes.append(
            f"Your own split: {len(split.train):,} cells train the model, {len(split.validation):,}{own} choose the "
            f"best epoch, {len(split.test):,} judge."
        )
    if split.held_out_groups and not request.folds:
        notes.append(
            f"{split.test_share:.0%} of the cells are held out, {request.test_fraction:.0%} were asked for: whole "
            f"groups of {request.group_key} that come nearest to it.".replace("%", " %")
        )
    if split.absent:
        notes.append(f"No training cell has these types, so they cannot be found: {', '.join(split.absent)}.")
    return split, notes


def _set_aside(
    request: Request, train: NDArray[np.int64], known: NDArray[np.str_], *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take from the training cells those that set the doubt, if they are enough."""
    if len(train) * request.calibration_fraction >= FEWEST_CALIBRATING:
        kept, drawn = part_of(train, known, fraction=request.calibration_fraction, seed=seed)
        if len(drawn) >= FEWEST_CALIBRATING:
            return kept, drawn
    return train, np.empty(0, dtype=np.int64)


def _own_split(known: NDArray[np.str_], parts: NDArray[np.str_], *, seed: int) -> Split:
    """Take the parts as they are; where none is validation, some training cells choose the best epoch."""
    train, validation, test = (
        np.flatnonzero((known != "") & (parts == part)) for part in ("train", "validation", "test")
    )
    if not len(test) or len(np.unique(known[train])) < 2:
        raise RequestError(
            f"The split has labeled training cells of {len(np.unique(known[train]))} cell types and "
            f"{counted(len(test), 'labeled test cell')}.",
            hint="Training needs labeled cells of two types or more, the test one or more.",
        )
    if not len(validation):
        learned = np.where(parts == "train", known, "")
        drawn = split_cells(learned, test_fraction=VALIDATION_FRACTION, validation_fraction=0, seed=seed)
        train, validation = drawn.train, drawn.test
    absent = np.setdiff1d(known[known != ""], known[train])
    return Split(train=train, validation=validation, test=test, absent=tuple(absent.tolist()))
