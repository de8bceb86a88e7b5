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
READ_AT_ONCE = 40
"""Edits of random genes."""


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
    seed: tuple[int, ...]

    def of(self, number: int) -> Draw:
        """Draw anew for an edit."""
        return Draw(most=self.most, seed=(*self.seed, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an edit does to the m cells that it changes for the model, or that were sampled of them."""

    rows: NDArray[np.int64]
    """(m,) which of the n cells."""
    measures: NDArray[np.float32]
    """(m, 3): 1 - cos(E', E), and what the cosine with the mean of the goal and of the start gains."""
    after: NDArray[np.float32] | None
    """(m, C) vectors after the edit, where they are kept."""

    def spread(self, n_cells: int) -> NDArray[np.float32]:
        """Give the measures of all cells, (n, 3); NaN for the others."""
        measures = np.full((n_cells, N_MEASURES), np.nan, dtype=np.float32)
        measures[self.rows] = self.measures
        return measures

    def written(self) -> NDArray[np.float32]:
        """Write all in one array, (m, 1 + 3) or (m, 1 + 3 + C)."""
        parts = [self.rows[:, None].astype(np.float32), self.measures]
        return np.concatenate(parts if self.after is None else [*parts, self.after], axis=1)

    @classmethod
    def read(cls, array: NDArray[np.floating]) -> Found:
        """Read what `written` gives, (m, 1 + 3) or (m, 1 + 3 + C)."""
        values = array.astype(np.float32, copy=False)
        behind = values[:, 1 + N_MEASURES :]
        return cls(
            rows=values[:, 0].astype(np.int64),
            measures=values[:, 1 : 1 + N_MEASURES],
            after=behind if behind.shape[1] else None,
        )


def edited_cells(
    model: FoundationModel, cells: Cells, edit: Edit, *, draw: Draw | None = None
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


def measure(cells: Cells, rows: NDArray[np.int64], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compare cells with themselves after an edit, (m, 3): moved, to the goal, to the start; NaN where unknown.

    Parameters
    ----------
    rows
        (m,) which of the n cells.
    after
        (m, C) their vectors after the edit.
    """
    measures = np.full((len(after), N_MEASURES), np.nan, dtype=np.float32)
    before = cells.vectors[rows]
    measures[:, 0] = 1 - cosine(before, after)
    if cells.goal is not None:
        for column, state in ((1, cells.goal), (2, cells.start)):
            measures[:, column] = cosine(after, state[None]) - cosine(before, state[None])
    return measures


def cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine of rows, (n,) of (n, C) and (n, C) or (1, C); NaN where a row has NaN.

    Examples
    --------
    >>> cosine(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0]])).round(3)
    array([1.   , 0.707])
    """
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a.astype(np.float64) * b).sum(axis=1) / norms, dtype=np.float64)


class Edits:
    """What is known of each edit of a run; finished edits lie in the state folder.

    Random genes are edited in few cells, so several of them are read at once.
    """

    def __init__(
        self, folder: Path, model: FoundationModel, cells: Cells, *, draw: Draw, report: Report
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ranking = folder.parent / RANKING
        self.model, self.cells, self.draw, self.report = model, cells, draw, report
        self.chunks = Chunks(folder)
        self.chunks.clear_up()

    def of(self, edits: Sequence[Edit], *, n_asked: int, keep_vectors: bool) -> list[Found]:
        """Carry edits out in their order, or read what an earlier try has finished.

        Parameters
        ----------
        n_asked
            The first so many edits are what is asked for; the others are the random genes, for which cells are
            sampled.
        """
        found: list[Found] = []
        written = 0.0

        def said(note: str) -> None:
            self.report(Progress(stage="Editing genes", done=len(found), total=len(edits), note=note))

        while len(found) < len(edits):
            start = len(found)
            end = start + 1 if start < n_asked else min(start + READ_AT_ONCE, len(edits))
            found += self._several(
                edits, range(start, end), keep_vectors=keep_vectors, n_asked=n_asked, said=said
            )
            said("")
            due = time.monotonic() - written > RANKING_SECONDS or len(found) == n_asked
            if len(found) <= n_asked and due:
                self._rank(edits, found)
                written = time.monotonic()
        return found

    def _several(
        self,
        edits: Sequence[Edit],
        numbers: range,
        *,
        keep_vectors: bool,
        n_asked: int,
        said: Callable[[str], None],
    ) -> list[Found]:
        """Carry some edits out at once, but for those that are finished."""
        kept = {number: self.chunks.read(number) for number in numbers}
        new = [number for number in numbers if kept[number] is None]
        parts = self._edited(edits, new, n_asked=n_asked)
        vectors = self._encoded([tokens for _, tokens in parts], said)
        done = {}
        for number, (rows, _), after in zip(new, parts, vectors, strict=True):
            done[number] = self._found(rows, after, keep_vectors=keep_vectors)
            self.chunks.write(number, done[number].written())
        return [done[number] if array is None else Found.read(array) for number, array in kept.items()]

    def _edited(
        self, edits: Sequence[Edit], numbers: Sequence[int], *, n_asked: int
    ) -> list[tuple[NDArray[np.int64], Tokens]]:
        """Edit all cells for what is asked for, and a few for each random gene: which, (m,), and their tokens."""
        return [
            edited_cells(
                self.model,
                self.cells,
                edits[number],
                draw=None if number < n_asked else self.draw.of(number),
            )
            for number in numbers
        ]

    def _encoded(self, parts: Sequence[Tokens], said: Callable[[str], None]) -> list[NDArray[np.float32]]:
        """Read several parts at once, and give the vectors of the m cells of each, (m, C)."""
        lengths = [len(tokens) for tokens in parts]
        if not sum(lengths):
            return [np.empty((0, self.cells.vectors.shape[1]), dtype=np.float32) for _ in parts]
        return np.split(encode(self.model, joined(parts), said=said), np.cumsum(lengths)[:-1])

    def _found(self, rows: NDArray[np.int64], after: NDArray[np.float32], *, keep_vectors: bool) -> Found:
        """Measure cells, (m,), by their vectors after an edit, (m, C); an edit can leave a cell without tokens."""
        seen = np.isfinite(after).all(axis=1)
        rows, after = rows[seen], after[seen]
        measures = measure(self.cells, rows, after)
        return Found(rows=rows, measures=measures, after=after if keep_vectors else None)

    def _rank(self, edits: Sequence[Edit], found: list[Found]) -> None:
        """Write the strongest edits so far, for a page to read."""
        ranked: list[tuple[float, dict[str, Any]]] = []
        for edit, one in zip(edits, found, strict=False):
            if len(one.rows):
                moved, goal = (float(one.measures[:, k].mean()) for k in (0, 1))
                row = {
                    "gene": " + ".join(edit.genes),
                    "cells": len(one.rows),
                    "moved": moved,
                    "to_goal": None,
                }
                if goal == goal:
                    row["to_goal"] = goal
                ranked.append((goal if goal == goal else moved, row))
        ranked.sort(key=lambda pair: -pair[0])
        draft = self.ranking.with_suffix(".draft")
        draft.write_text(json.dumps([row for _, row in ranked[:SHOWN]]), encoding="utf-8")
        draft.replace(self.ranking)


def joined(parts: Sequence[Tokens]) -> Tokens:
    """Put cells below each other, rows filled up to the longest."""
    length = max(part.mask.shape[1] for part in parts)

    def below(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
        known = [array for array in arrays if array is not None]
        if len(known) < len(arrays):
            return None
        return np.concatenate([np.pad(array, ((0, 0), (0, length - array.shape[1]))) for array in known])

    gene_ids, mask = below([part.gene_ids for part in parts]), below([part.mask for part in parts])
    return Tokens(
        gene_ids=np.asarray(gene_ids),
        values=below([part.values for part in parts]),
        mask=np.asarray(mask),
        condition=below([part.condition for part in parts]),
    )
