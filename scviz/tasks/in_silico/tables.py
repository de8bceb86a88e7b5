"""All that the printed numbers of a run are made of, as tables: each of them can be computed from these."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.in_silico import Result, Shift
from scviz.tasks.in_silico.statistics import means_of
from scviz.workspace.csv_files import CsvWriter

EDITS = "edits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a header."""

    header: Sequence[str]
    rows: Iterable[Sequence[Any]]

    def as_csv(self) -> str:
        """Write it."""
        file = io.StringIO()
        writer = CsvWriter(file, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return file.getvalue()


def tables_of(result: Result) -> Mapping[str, Table]:
    """Name the tables of a run.

    `edits` has one row per edit, `random` one per random gene or set, `cells` every cell of both, `ruler` the
    distances that moves are a share of, `genes` the other genes that one edit changes, `shifts` the mean shifts whose
    cosines with the observed one are shown, `published` the published statistics.
    """
    tables = {
        EDITS: _edits(result),
        "random": _random(result),
        "cells": _cells(result),
        "ruler": Table(
            header=["words", "distance", "goal_distance", "n_tests"],
            rows=[[result.ruler.words, result.ruler.distance, result.ruler.goal_distance, result.n_tests]],
        ),
    }
    if result.affected is not None:
        found = result.affected
        columns = (found.genes, found.change, found.random_change, found.n_cells)
        header = ["gene", found.what, "random", "cells"]
        tables["genes"] = Table(header=header, rows=zip(*columns, strict=True))
    if result.observed is not None and result.mean_shifts is not None:
        n_random = len(result.observed.random)
        n_draws = len(result.mean_shifts) - 2 - n_random
        of = ["observed", "edit", *["edit in few cells"] * n_draws, *["random"] * n_random]
        tables["shifts"] = Table(
            header=["of", *(f"d{i + 1}" for i in range(result.mean_shifts.shape[1]))],
            rows=[[name, *row] for name, row in zip(of, result.mean_shifts.tolist(), strict=True)],
        )
    if result.published is not None:
        tables["published"] = Table(header=result.published.columns, rows=result.published.rows)
    return tables


def zip_of(result: Result) -> bytes:
    """Write all tables of a run as CSV files in one archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables_of(result).items():
            archive.writestr(f"{name}.csv", table.as_csv())
    return file.getvalue()


def _edits(result: Result) -> Table:
    """Give a row per edit: cells, shifts with intervals, bands of random genes, ranks, p values."""
    names = [field.name for field in dataclasses.fields(Shift)]
    shown = ("moved", "to_goal", "to_start") if result.to_goal is not None else ("moved",)
    rows = []
    for effect in result.effects:
        numbers = [getattr(getattr(effect, measure), name) for measure in shown for name in names]
        rows.append(["+".join(effect.genes), effect.n_cells, effect.level, *numbers])
    return Table(
        header=["genes", "cells", "level", *(f"{one}_{name}" for one in shown for name in names)], rows=rows
    )


def _random(result: Result) -> Table:
    """Give a row per random gene or set: its rank by expression and its means."""
    means = [means_of(values) for values in _known(result.random_moved, result.random_to_goal)]
    names = ["+".join(genes) for genes in result.random_genes]
    return Table(
        header=["genes", "level", "moved", "to_goal"][: 2 + len(means)],
        rows=zip(names, result.random_levels.tolist(), *(mean.tolist() for mean in means), strict=True),
    )


def _cells(result: Result) -> Table:
    """Give a row for each cell that an edit, or a random one, changes: its row in the file, and what was measured."""
    measures = ["moved", *(["to_goal", "to_start"] if result.to_goal is not None else [])]
    return Table(header=["genes", "random", "row", *measures], rows=_each_cell(result))


def _each_cell(result: Result) -> Iterator[list[Any]]:
    edits = _known(result.moved, result.to_goal, result.to_start)
    random = _known(result.random_moved, result.random_to_goal)
    named = [(effect.genes, 0, [v[i] for v in edits]) for i, effect in enumerate(result.effects)]
    named += [(genes, 1, [v[i] for v in random]) for i, genes in enumerate(result.random_genes)]
    for genes, drawn, values in named:
        for cell in np.flatnonzero(np.isfinite(values[0])):
            yield ["+".join(genes), drawn, int(result.rows[cell]), *(float(v[cell]) for v in values)]


def _known(*arrays: NDArray[np.float32] | None) -> list[NDArray[np.float32]]:
    return [array for array in arrays if array is not None]
