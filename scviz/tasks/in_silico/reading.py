"""Cell vectors: of the cells that are edited, and of those around them on the map and in comparisons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.batching import encode
from scviz.foundation.chunks import embed_cells
from scviz.foundation.edits import highest_levels
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.progress import Progress
from scviz.tasks.chosen_cells import sample
from scviz.tasks.context import Context
from scviz.tasks.in_silico import Request
from scviz.tasks.in_silico.effects import Cells
from scviz.tasks.in_silico.inputs import Inputs
from scviz.tasks.in_silico.observed import Pair
from scviz.workspace.chunks import Chunks

NEW_MAP = 1500
"""Cells of a map that is drawn for the arrows alone."""
MEASURED = 300
"""Cells that the distance between types is measured on where no map is drawn."""
ENCODED_AGAIN = 8
EXACT = 1e-5
"""Share of a vector by which two computations of it may differ, that edits are measured from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Vectors of cells of the dataset."""

    rows: NDArray[np.int64]
    """(M,) ascending."""
    vectors: NDArray[np.float32]
    """(M, C)."""
    coordinates: NDArray[np.float32] | None = None
    """(M, 2) on a finished map."""

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take some of them, (n, C)."""
        return self.vectors[np.searchsorted(self.rows, rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The cells that are edited, and all that were embedded."""

    cells: Cells
    around: Embedded


def read_cells(
    request: Request, context: Context, model: FoundationModel, *, inputs: Inputs, pair: Pair | None
) -> Read:
    """Embed the cells that are edited and those that they are compared with.

    Raises
    ------
    GeneMatchError
        If the model sees no gene in the cells, or in those of the goal.
    """
    used = inputs.used
    tokens = model.tokenize(used)

    def said(note: str) -> None:
        context.report(Progress(stage="Reading cells", note=note))

    if not tokens.mask.any():
        raise GeneMatchError("The model sees no gene in these cells.", hint="Choose other cells or weights.")
    around = _finished_map(request, context)
    if around is None:
        around = _embed(request, context, model, inputs=inputs, pair=pair)
    own = _before(model, tokens, around.of(inputs.rows), said=said)
    goal = around.of(inputs.goal_rows)
    goal = goal[np.isfinite(goal).all(axis=1)]
    if request.goal is not None and not len(goal):
        raise GeneMatchError("The model sees no gene in the cells of the goal.", hint="Choose another goal.")
    cells = Cells(
        adata=used,
        tokens=tokens,
        vectors=own,
        goal=goal.mean(axis=0) if len(goal) else None,
        start=own[np.isfinite(own).all(axis=1)].mean(axis=0),
        levels=_highest(inputs) if request.kind == "overexpress" else None,
    )
    return Read(cells=cells, around=around)


def n_around(request: Request, n_cells: int) -> int:
    """Say how many cells beside those edited are embedded where there is no finished map."""
    return 0 if request.map_run else min(MEASURED if request.sweep else NEW_MAP, n_cells)


def _before(
    model: FoundationModel,
    tokens: Tokens,
    known: NDArray[np.float32],
    *,
    said: Callable[[str], None],
) -> NDArray[np.float32]:
    """Give the vectors of cells as they are, (n, C): those known, if some that are encoded again prove exact enough.

    A map that was computed in half precision, or on a processor that rounds otherwise, is not.
    """
    few = np.flatnonzero(tokens.mask.any(axis=1))[:ENCODED_AGAIN]
    again = encode(model, tokens.take(few), said=said)
    error = np.linalg.norm(again - known[few], axis=1) / np.linalg.norm(again, axis=1)
    return known if error.max() < EXACT else encode(model, tokens, said=said)


def _highest(inputs: Inputs) -> NDArray[np.float64]:
    """Give the highest level of each gene in any cell of the dataset, (G,)."""
    return highest_levels(inputs.adata.X, np.arange(inputs.adata.n_vars))


def _embed(
    request: Request, context: Context, model: FoundationModel, *, inputs: Inputs, pair: Pair | None
) -> Embedded:
    """Embed the cells that are edited, and those beside them on the map and in comparisons."""
    n_cells = inputs.adata.n_obs
    wanted = [inputs.rows, inputs.goal_rows]
    if pair is not None:
        wanted += [pair.control_rows, pair.perturbed_rows]
    wanted.append(sample(np.arange(n_cells), n_around(request, n_cells), request.seed))
    rows = np.unique(np.concatenate(wanted))
    chunks = Chunks(context.state)
    chunks.clear_up()
    vectors = embed_cells(
        model, inputs.adata[rows].copy(), chunks, device=context.device, report=context.report
    )
    return Embedded(rows=rows, vectors=vectors)


def _finished_map(request: Request, context: Context) -> Embedded | None:
    """Read the map of an earlier run, if one is named."""
    if not request.map_run:
        return None
    earlier = context.finished(request.map_run)
    same = (request.dataset, request.checkpoint)
    if earlier.task != "embedding" or (earlier.request.dataset, earlier.request.checkpoint) != same:
        raise RequestError(
            f"Run {request.map_run} is no map of these cells by these weights.", hint="Leave it out."
        )
    embedding = earlier.result.embedding
    return Embedded(rows=np.arange(len(embedding)), vectors=embedding, coordinates=earlier.result.umap)
