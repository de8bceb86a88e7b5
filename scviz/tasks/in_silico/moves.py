"""Edit, encode, compare: where a model moves cells."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.batching import encode
from scviz.foundation.edits import Edit, cells_open_to, changed, gene_columns
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.progress import Progress, Report
from scviz.tasks.in_silico import RANKING
from scviz.workspace.chunks import Chunks

RANKING_SECONDS = 1.0
SHOWN = 200
"""Genes of the ranking so far that a page may show."""
N_MEASURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The n cells that are edited, as a model reads them."""

    adata: AnnData
    tokens: Tokens
    vectors: NDArray[np.float32]
    """(n, C) as they are; NaN for cells in which the model sees no gene."""
    goal: NDArray[np.float32] | None
    """(C,) mean vector of the goal."""
    start: NDArray[np.float32]
    """(C,) mean vector of these cells."""
    levels: NDArray[np.float64] | None = None
    """(G,) what `highest_levels` gives for all genes of the dataset; needed for over-expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Cells are drawn from those that an edit changes for the model, at most so many."""

    most: int
    seed: tuple[int, int]


def move(
    model: FoundationModel,
    cells: Cells,
    edit: Edit,
    said: Callable[[str], None],
    draw: Draw | None = None,
) -> NDArray[np.float32]:
    """Encode cells after an edit, (n, C); NaN where it changes nothing for the model, or a cell is not drawn."""
    rows, edited = edited_cells(model, cells, edit, draw)
    vectors = np.full_like(cells.vectors, np.nan)
    if len(rows):
        found = encode(model, edited, said=said)
        if found.shape[1]:
            vectors[rows] = found
    return vectors


def edited_cells(
    model: FoundationModel, cells: Cells, edit: Edit, draw: Draw | None = None
) -> tuple[NDArray[np.int64], Tokens]:
    """Edit cells and give those of which the model reads something else: which they are, (m,), and their tokens.

    Where they are drawn, cells are tried in a random order until there are enough.
    """
    columns = gene_columns(cells.adata.var, edit.genes)
    levels = None if cells.levels is None else cells.levels[columns]
    open_to = cells_open_to(cells.adata.X, columns, edit)
    if draw is not None:
        open_to = np.random.default_rng(draw.seed).permutation(open_to)
    n_tried = len(open_to) if draw is None else 2 * draw.most
    while True:
        part = open_to[:n_tried]
        before = cells.tokens.take(part)
        edited = model.edited(cells.adata[part], edit, tokens=before, levels=levels)
        rows = np.flatnonzero(changed(before, edited))
        if draw is None or len(rows) >= draw.most or len(part) == len(open_to):
            break
        n_tried *= 4
    rows = rows if draw is None else rows[: draw.most]
    return part[rows], edited.take(rows)


def measure(cells: Cells, after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compare cells with themselves after an edit, (n, 3): moved, to the goal, to the start; NaN where unknown."""
    measures = np.full((len(after), N_MEASURES), np.nan, dtype=np.float32)
    measures[:, 0] = 1 - cosine(cells.vectors, after)
    if cells.goal is not None:
        for column, state in ((1, cells.goal), (2, cells.start)):
            measures[:, column] = cosine(after, state[None]) - cosine(cells.vectors, state[None])
    return measures


def cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine of rows, (n,); NaN where a row has NaN.

    Examples
    --------
    >>> cosine(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0]])).round(3)
    array([1.   , 0.707])
    """
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a.astype(np.float64) * b).sum(axis=1) / norms, dtype=np.float64)


class Moves:
    """What is known of each edit of a run; finished edits lie in the state folder."""

    def __init__(self, folder: Path, *, keep_vectors: bool, random_cells: int, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.keep_vectors, self.ranking = keep_vectors, folder.parent / RANKING
        self.random_cells, self.seed = random_cells, seed
        self.chunks = Chunks(folder)
        self.chunks.clear_up()

    def of(
        self, model: FoundationModel, cells: Cells, edits: Sequence[Edit], *, n_ranked: int, report: Report
    ) -> list[NDArray[np.float32]]:
        """Carry edits out in their order, or read what an earlier try has finished.

        Parameters
        ----------
        n_ranked
            The first so many edits are what is asked for; the others are the random genes, for which cells are
            drawn.

        Returns
        -------
        For each edit (n, 3) measures, and behind them the vectors, (n, 3 + C), where they are kept.
        """
        found: list[NDArray[np.float32]] = []
        written = 0.0

        def said(note: str) -> None:
            report(Progress(stage="Editing genes", done=len(found), total=len(edits), note=note))

        for number, edit in enumerate(edits):
            values = self.chunks.read(number)
            if values is None:
                draw = None if number < n_ranked else Draw(most=self.random_cells, seed=(self.seed, number))
                after = move(model, cells, edit, said, draw)
                values = measure(cells, after)
                if self.keep_vectors:
                    values = np.concatenate((values, after), axis=1)
                self.chunks.write(number, values)
            found.append(values)
            said("")
            if len(found) <= n_ranked and (
                time.monotonic() - written > RANKING_SECONDS or len(found) == n_ranked
            ):
                self._rank(edits, found)
                written = time.monotonic()
        return found

    def _rank(self, edits: Sequence[Edit], found: list[NDArray[np.float32]]) -> None:
        """Write the strongest edits so far, for a page to read."""
        ranked: list[tuple[float, dict[str, Any]]] = []
        for edit, values in zip(edits, found, strict=False):
            known = values[np.isfinite(values[:, 0])]
            if len(known):
                moved, goal = (float(known[:, k].mean()) for k in (0, 1))
                row = {"gene": " + ".join(edit.genes), "cells": len(known), "moved": moved, "to_goal": None}
                if goal == goal:
                    row["to_goal"] = goal
                ranked.append((goal if goal == goal else moved, row))
        ranked.sort(key=lambda pair: -pair[0])
        draft = self.ranking.with_suffix(".draft")
        draft.write_text(json.dumps([row for _, row in ranked[:SHOWN]]), encoding="utf-8")
        draft.replace(self.ranking)
