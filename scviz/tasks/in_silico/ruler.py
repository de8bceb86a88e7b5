"""The distance between two cell types, which tells a reader how far cells move."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels, cell_labels
from scviz.tasks.in_silico import Request, Ruler
from scviz.tasks.in_silico.reading import Read
from scviz.workspace import DatasetInfo

FEWEST_OF_A_TYPE = 5
PAIRS = 2000
LEAST = 1e-9
"""Types whose mean cells are nearer than this are one for the model."""


def ruler_of(
    request: Request, info: DatasetInfo, folder: Path, *, read: Read, rows: NDArray[np.int64]
) -> Ruler:
    """Measure from the type of most edited cells to the type nearest to it; else between random pairs of cells.

    Parameters
    ----------
    rows
        (n,) the cells that are edited.

    Raises
    ------
    RequestError
        If the column named for types does not name groups of cells.
    """
    goal = read.cells.goal
    own = read.cells.vectors[np.isfinite(read.cells.vectors).all(axis=1)]
    to_goal = float(np.mean(_apart(own, goal[None]))) if goal is not None else float("nan")
    vectors = read.around.vectors
    seen = np.isfinite(vectors).all(axis=1)
    key = request.label_key or next(iter(info.columns_of("label")), None)
    found = _of_types(cell_labels(folder, key), read, rows) if key is not None else None
    if found is not None:
        return Ruler(words=found[0], distance=found[1], goal_distance=to_goal)
    rng = np.random.default_rng(request.seed)
    one, two = (vectors[rng.choice(np.flatnonzero(seen), PAIRS)] for _ in range(2))
    apart = _apart(one, two)
    usual = float(np.mean(apart[apart > 0])) if (apart > 0).any() else LEAST
    return Ruler(words="the usual distance between two cells", distance=usual, goal_distance=to_goal)


def _of_types(labels: Labels, read: Read, rows: NDArray[np.int64]) -> tuple[str, float] | None:
    """Measure between types of which enough cells were embedded; (n,) cells are edited."""
    vectors, codes = read.around.vectors, labels.codes[read.around.rows]
    codes = np.where(np.isfinite(vectors).all(axis=1), codes, -1)
    enough = [code for code in range(len(labels.names)) if np.sum(codes == code) >= FEWEST_OF_A_TYPE]
    means = {labels.names[code]: vectors[codes == code].mean(axis=0, dtype=np.float64) for code in enough}
    return _nearest(means, {labels.names[code]: int(np.sum(labels.codes[rows] == code)) for code in enough})


def _nearest(means: Mapping[str, NDArray[np.float64]], counts: Mapping[str, int]) -> tuple[str, float] | None:
    """Name the type of most cells and the one nearest to it, and give their distance; None for a type alone."""
    if len(means) < 2 or not max(counts.values(), default=0):
        return None
    first = max(counts, key=lambda name: counts[name])
    others = {
        name: float(_apart(means[first][None], mean[None])[0])
        for name, mean in means.items()
        if name != first
    }
    others = {name: distance for name, distance in others.items() if distance > LEAST}
    if not others:
        return None
    second = min(others, key=lambda name: others[name])
    return f"the distance between {first} and {second}", others[second]


def _apart(one: NDArray[np.floating], two: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give 1 - cosine of rows, (n,) of (n, C) and (n, C) or (1, C)."""
    first, second = one.astype(np.float64), two.astype(np.float64)
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray(1 - (first * second).sum(axis=1) / np.maximum(norms, 1e-300))
