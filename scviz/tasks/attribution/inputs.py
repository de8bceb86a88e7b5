"""The classifier of a finished run, the held-out cells that are asked, and the others, on which genes are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels, cell_labels
from scviz.errors import RequestError
from scviz.foundation.batching import pick_device
from scviz.foundation.classifier import HEAD, CellTypeClassifier
from scviz.metrics.evidence import counted
from scviz.models import model_class
from scviz.tasks.attribution import Request
from scviz.tasks.context import Context, Finished

CLASSIFIER = "classifier"
"""Folder of the trained classifier in the result of a run of cell types."""
FEWEST_CELLS = 6
"""Types of fewer held-out cells are not asked: three to choose genes, three to test them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Cells that are asked about their genes."""

    rows: NDArray[np.int64]
    """(M,) rows of the dataset."""
    types: NDArray[np.int64]
    """(M,) type of each, a position in the types of the classifier."""
    chooses: NDArray[np.bool_]
    """(M,) cells of the half that chooses genes; the others test them."""
    kept: tuple[int, ...]
    """The K types that have cells enough."""
    others: NDArray[np.int64]
    """(N,) place in `kept` of the cells that are not asked; further numbers for other types; -1 for no label."""

    def of(self, k: int, *, chooses: bool) -> NDArray[np.int64]:
        """Return the places of the cells of a type, (m,), in one half."""
        return np.flatnonzero((self.types == k) & (self.chooses == chooses))


def load_classifier(finished: Finished, request: Request, context: Context) -> CellTypeClassifier:
    """Read the classifier that a run trained, or that its checkpoint held."""
    checkpoint = finished.request.checkpoint
    own = context.workspace.run_folder(request.run) / "result" / CLASSIFIER
    folder = own if (own / HEAD).is_file() else context.workspace.checkpoint_folder(checkpoint)
    classifier = CellTypeClassifier.load(folder, model_class(context.workspace.checkpoint(checkpoint).model))
    return classifier.to(pick_device(context.device)).eval()


def gather(finished: Finished, request: Request, context: Context) -> Asked:
    """Choose the cells.

    Raises
    ------
    RequestError
        If the run is of another task, or no type has cells enough.
    """
    if finished.task != "annotation":
        raise RequestError(
            f"A run of {finished.task} has no classifier of cell types.", hint="Choose a run of cell types."
        )
    result, rng = finished.result, np.random.default_rng(request.seed)
    codes = _codes(finished, context)
    rows, types, chooses, kept = [], [], [], []
    for k in range(len(result.types)):
        own = result.test_rows[result.truth == k]
        some = rng.permutation(own)[: request.n_cells]
        if len(some) < FEWEST_CELLS or (codes == k).sum() - len(some) < 2:
            continue
        rows.append(some)
        types.append(np.full(len(some), k))
        chooses.append(np.arange(len(some)) % 2 == 0)
        kept.append(k)
    if len(kept) < 2:
        raise RequestError(
            f"It takes two types with {FEWEST_CELLS} or more held-out cells and others to compare with; this run has "
            f"{counted(len(kept), 'such type')}.",
            hint="Hold out more cells, or choose a column with larger types.",
        )
    asked = np.concatenate(rows)
    codes[asked] = -1
    return Asked(
        rows=asked,
        types=np.concatenate(types),
        chooses=np.concatenate(chooses),
        kept=tuple(kept),
        others=_kept_first(codes, kept),
    )


def _codes(finished: Finished, context: Context) -> NDArray[np.int64]:
    """Give the known type of each cell, (N,), a position in the types of the classifier; -1 for none."""
    folder = context.workspace.dataset_folder(finished.request.dataset)
    labels: Labels = cell_labels(folder, finished.request.label_key)
    place = {name.strip().casefold(): k for k, name in enumerate(finished.result.types)}
    of_names = np.array(
        [place.get(name.strip().casefold(), -1) for name in (*labels.names, "")], dtype=np.int64
    )
    return of_names[labels.codes]


def _kept_first(codes: NDArray[np.int64], kept: list[int]) -> NDArray[np.int64]:
    """Give the types that are asked the first numbers, (N,), and all others the next, if they are two cells or more."""
    place = np.full(int(codes.max(initial=-1)) + 2, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    place[-1] = -1
    found = place[codes]
    return np.where((found == len(kept)) & ((found == len(kept)).sum() < 2), -1, found)
