"""The map of one edit: cells before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.neighbors import map_of_cells
from scviz.progress import Progress
from scviz.tasks.chosen_cells import sample
from scviz.tasks.context import Context
from scviz.tasks.in_silico import Request
from scviz.tasks.in_silico.arrows import clearly_moved, places_after
from scviz.tasks.in_silico.effects import Found
from scviz.tasks.in_silico.inputs import Inputs
from scviz.tasks.in_silico.reading import Read

MOST_ON_MAP = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What the map shows, of M cells and the n that are edited."""

    rows: NDArray[np.int64] | None = None
    """(M,); None for a sweep, as all that follows."""
    coordinates: NDArray[np.float32] | None = None
    """(M, 2)."""
    before: NDArray[np.float32] | None = None
    """(n, 2)."""
    after: NDArray[np.float32] | None = None
    """(n, 2)."""
    clear: NDArray[np.bool_] | None = None
    """(n,)."""


def draw(
    request: Request, context: Context, read: Read, *, inputs: Inputs, found: list[Found], beyond: bool
) -> Drawing:
    """Place the cells before and after on a map.

    Parameters
    ----------
    beyond
        Whether the edit as a whole moves cells farther than random genes do: without that no arrow is clear.
    """
    around, n_cells = read.around, len(inputs.rows)
    vectors, coordinates = around.vectors, around.coordinates
    seen = np.asarray(np.isfinite(vectors).all(axis=1), dtype=np.bool_)
    if coordinates is None:
        _, coordinates = map_of_cells(
            vectors, seen, n_neighbors=15, min_dist=0.3, seed=request.seed, report=context.report
        )
    context.report(Progress(stage="Drawing arrows"))
    own = np.searchsorted(around.rows, inputs.rows)
    kept = np.union1d(sample(np.flatnonzero(seen), MOST_ON_MAP, request.seed), own[seen[own]])
    after = np.full_like(read.cells.vectors, np.nan)
    if found[0].after is not None:
        after[found[0].rows] = found[0].after
    placed = places_after(
        vectors[kept],
        coordinates[kept],
        np.searchsorted(kept, own).clip(max=len(kept) - 1),
        before=read.cells.vectors,
        after=after,
    )
    moved = found[0].spread(n_cells)[:, 0]
    random = [found[number].spread(n_cells)[:, 0] for number in inputs.random]
    clear = clearly_moved(moved, np.stack(random or [np.full(n_cells, np.nan)]))
    return Drawing(
        rows=around.rows[kept],
        coordinates=coordinates[kept],
        before=coordinates[own],
        after=placed,
        clear=clear if beyond else np.zeros(n_cells, dtype=np.bool_),
    )
