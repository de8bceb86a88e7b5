"""The labeled cells of a reference: which are learned from, which choose, which judge."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.enough_cells import large_labels
from scviz.datasets.expression import depth_of
from scviz.datasets.folds import part_of
from scviz.datasets.labels import labels_in
from scviz.datasets.split import Split, split_cells
from scviz.tasks.transfer import Request
from scviz.tasks.transfer.refusals import FEWEST_CELLS, refuse_no_labels

VALIDATION_FRACTION = 0.1
CALIBRATION_FRACTION = 0.1
FEWEST_CALIBRATING = 40
"""Of fewer cells set aside there are no sets of types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeled:
    """Cells and what they are called."""

    adata: AnnData
    types: tuple[str, ...]
    codes: NDArray[np.int64]
    """(R,) position in `types`; -1 for cells without a label."""
    split: Split
    calibration: NDArray[np.int64]
    """(L,) rows set aside to tell how odd a cell of a type may be; none where they would be too few."""
    notes: tuple[str, ...]


def labeled_cells(request: Request, adata: AnnData) -> Labeled:
    """Read the labels of the reference and divide its cells.

    Raises
    ------
    MissingColumnError
        If it lacks the column with types or with groups.
    RequestError
        If no column is named, or fewer than two types have enough cells.
    """
    refuse_no_labels(request.label_key)
    known = labels_in(adata.obs, request.label_key)
    groups = labels_in(adata.obs, request.group_key) if request.group_key else None
    large = large_labels(
        known.texts, column=f"The column {request.label_key!r} of the reference", fewest=FEWEST_CELLS
    )
    types = np.array(large.names)
    labels = np.where(np.isin(known.texts, types), known.texts, "")
    split = split_cells(
        labels,
        groups=groups.texts if groups else None,
        test_fraction=request.test_fraction,
        validation_fraction=VALIDATION_FRACTION,
        seed=request.seed,
    )
    train, calibration = _set_aside(split.train, labels, seed=request.seed)
    codes = np.where(labels == "", -1, np.searchsorted(types, labels))
    return Labeled(
        adata=adata,
        types=tuple(types.tolist()),
        codes=codes.astype(np.int64),
        split=replace(split, train=train),
        calibration=calibration,
        notes=(
            *known.notes,
            *(groups.notes if groups else ()),
            *large.notes,
            *_said(split, request),
            *_without_sets(calibration),
            *depth_of(adata).notes,
        ),
    )


def _set_aside(
    train: NDArray[np.int64], labels: NDArray[np.str_], *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take from the training cells those that decide how odd a cell of a type may be, if they are enough."""
    if len(train) * CALIBRATION_FRACTION >= FEWEST_CALIBRATING:
        kept, drawn = part_of(train, labels, fraction=CALIBRATION_FRACTION, seed=seed)
        if len(drawn) >= FEWEST_CALIBRATING:
            return kept, drawn
    return train, np.empty(0, dtype=np.int64)


def _without_sets(calibration: NDArray[np.int64]) -> list[str]:
    if len(calibration):
        return []
    return [
        f"No sets of types: fewer than {FEWEST_CALIBRATING} cells could be set aside to tell how odd a cell of a type "
        "may be."
    ]


def _said(split: Split, request: Request) -> list[str]:
    said = []
    if split.held_out_groups:
        said.append(
            f"{100 * split.test_share:.0f} % of the labeled cells are held out, "
            f"{100 * request.test_fraction:.0f} % were asked for: whole groups of {request.group_key} that come "
            "nearest to it."
        )
    if split.absent:
        said.append(f"No training cell has these types, so they cannot be found: {', '.join(split.absent)}.")
    return said
