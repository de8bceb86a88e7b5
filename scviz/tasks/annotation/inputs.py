"""Which cells are trained on, which are held out, and what is asked of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.datasets.labels import labels_in
from scviz.datasets.split import Split, split_cells
from scviz.errors import RequestError
from scviz.tasks.annotation import Request
from scviz.training import Cells

FEWEST_CELLS = 5
"""Types with fewer labelled cells can be neither learned nor tested."""

VALIDATION_FRACTION = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The cells and what is asked of each."""

    adata: AnnData
    types: tuple[str, ...]
    codes: NDArray[np.int64]
    """(N,) position in `types`; -1 for cells without a label."""
    split: Split
    n_tokens: NDArray[np.int64]
    """(N,) length of each cell for the model."""
    notes: tuple[str, ...]

    @property
    def cells(self) -> Cells:
        """The cells of the split that are trained on."""
        return Cells(train=self.split.train, validation=self.split.validation, lengths=self.n_tokens)


def gather(request: Request, adata: AnnData, n_tokens: NDArray[np.int64]) -> Inputs:
    """Read the labels and split the cells.

    Parameters
    ----------
    n_tokens
        (N,) length of each cell for the model; cells without a token are in no part.

    Raises
    ------
    MissingColumnError
        If the dataset lacks the label or the group column.
    RequestError
        If fewer than two types have enough cells.
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
        notes.append(f"The model sees no gene in {unseen.sum():,} cells; they are left out.")
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    rare = names[counts < FEWEST_CELLS]
    if len(rare):
        notes.append(f"Left out, with fewer than {FEWEST_CELLS} cells: {', '.join(rare)}.")
    types = tuple(names[counts >= FEWEST_CELLS].tolist())
    if len(types) < 2:
        raise RequestError(
            f"The column {request.label_key!r} has {len(types)} cell types with at least {FEWEST_CELLS} cells.",
            hint="Choose a column with two cell types or more.",
        )
    at = {name: i for i, name in enumerate(types)}
    codes = np.array([at.get(label, -1) for label in labels], dtype=np.int64)
    known = np.where(codes < 0, "", labels)
    split = split_cells(
        known,
        groups=groups,
        test_fraction=request.test_fraction,
        validation_fraction=VALIDATION_FRACTION,
        seed=request.seed,
    )
    notes += depth_of(adata).notes
    if split.held_out_groups:
        notes.append(
            f"{split.test_share:.0%} of the cells are held out, {request.test_fraction:.0%} were asked for: whole "
            f"groups of {request.group_key} that come nearest to it.".replace("%", " %")
        )
    if split.absent:
        notes.append(f"No training cell has these types, so they cannot be found: {', '.join(split.absent)}.")
    return Inputs(adata=adata, types=types, codes=codes, split=split, n_tokens=n_tokens, notes=tuple(notes))
