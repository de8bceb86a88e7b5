"""Cells in groups, genes one block at a time, a table for each group, a name for some."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from scviz.datasets.columns import gene_blocks, gene_identifiers, gene_names
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.metrics.evidence import counted
from scviz.metrics.group_values import NEITHER
from scviz.metrics.many_groups import MarkerTable, many_groups
from scviz.networks.contract import GeneSet
from scviz.progress import Progress
from scviz.tasks.cell_groups import cluster_name, clusters_of
from scviz.tasks.context import Context
from scviz.tasks.markers import MOST_GROUPS, MOST_IN_SET, Request, Result, Suggestion
from scviz.tasks.markers.ranking import marker_order
from scviz.tasks.markers.suggesting import Measured, cell_programs, suggest
from scviz.tasks.markers.verdict import is_circular, verdict

LEAST_SEEN = 0.01
"""Genes that fewer cells express, in every group, are neither looked up nor drawn as random ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """K groups of N cells."""

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    """(N,) 0 to K - 1; NEITHER for cells in none."""
    n_cells: tuple[int, ...]
    notes: tuple[str, ...]


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading cells"))
    folder = context.workspace.dataset_folder(request.dataset)
    groups = groups_of(request, context)
    blocks = _reported(folder, len(groups.codes), context)
    table = many_groups(blocks, groups.codes, len(groups.names), method=request.method)
    context.report(Progress(stage="Looking markers up"))
    genes = gene_names(folder)
    order = [
        marker_order(table.score[k], table.adjusted_p[k], table.log2_fold_change[k])
        for k in range(len(groups.names))
    ]
    sets = cell_programs()
    suggestions = _suggested(request, folder, table, order=order)
    return Result(
        names=groups.names,
        n_cells=groups.n_cells,
        groups=groups.codes.astype(np.int16),
        genes=genes,
        score=table.score.astype(np.float32),
        log2_fold_change=table.log2_fold_change.astype(np.float32),
        p_value=table.p_value,
        adjusted_p=table.adjusted_p,
        means=table.means.astype(np.float32),
        shares=table.shares.astype(np.float32),
        other_shares=table.other_shares.astype(np.float32),
        suggestions=suggestions,
        n_programs=len(sets),
        sets=tuple(
            GeneSet(name=f"markers of {name}", genes=tuple(genes[i] for i in own[:MOST_IN_SET]))
            for name, own in zip(groups.names, order, strict=True)
            if len(own)
        ),
        circular=is_circular(request),
        verdict=verdict(request, groups.names, order, suggestions=suggestions, genes=genes),
        notes=groups.notes,
        seconds=time.monotonic() - begun,
    )


def groups_of(request: Request, context: Context) -> Groups:
    """Find the groups that have cells enough.

    Raises
    ------
    RequestError
        If there are fewer than two such groups, or very many.
    """
    if request.run:
        codes = clusters_of(request.run, request.dataset, context.workspace)
        names = tuple(cluster_name(k + 1) for k in range(int(codes.max(initial=-1)) + 1))
        notes: tuple[str, ...] = ()
    else:
        labels = cell_labels(context.workspace.dataset_folder(request.dataset), request.column)
        codes, names, notes = labels.codes, labels.names, labels.notes
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.flatnonzero(sizes >= request.fewest_cells)
    if not 1 < len(kept) <= MOST_GROUPS:
        raise RequestError(
            f"{counted(len(kept), 'group')} with {request.fewest_cells:,} cells or more: markers are found of 2 to "
            f"{MOST_GROUPS} groups.",
            hint="Choose another column, or allow smaller groups.",
        )
    small = [names[k] for k in np.flatnonzero((sizes > 0) & (sizes < request.fewest_cells))]
    if small:
        notes = (
            *notes,
            f"{', '.join(small[:5])}{' and others' if len(small) > 5 else ''}: fewer than {request.fewest_cells:,} "
            "cells, left out.",
        )
    place = np.full(len(names) + 1, NEITHER, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return Groups(
        names=tuple(names[k] for k in kept),
        codes=place[np.where(codes < 0, len(names), codes)],
        n_cells=tuple(int(sizes[k]) for k in kept),
        notes=notes,
    )


def _suggested(
    request: Request, folder: Path, table: MarkerTable, *, order: list[NDArray[np.int64]]
) -> tuple[Suggestion, ...]:
    """Compare the first markers of each group with known ones, among the genes that are seen at all."""
    symbols = gene_identifiers(folder).names
    seen = np.flatnonzero(np.maximum(table.shares, table.other_shares).max(axis=0) >= LEAST_SEEN)
    first = {symbols[i].upper(): i for i in reversed(seen.tolist())}
    kept = np.array(sorted(first.values()), dtype=np.int64)
    place = np.full(len(symbols), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    own = [place[markers[: request.n_top]] for markers in order]
    measured = Measured(
        genes=tuple(symbols[i].upper() for i in kept), levels=table.means[:, kept].mean(axis=0)
    )
    return suggest([one[one >= 0] for one in own], measured, cell_programs(), seed=request.seed)


def _reported(folder: Path, n_cells: int, context: Context) -> Iterator[csc_matrix]:
    """Give the expression, (N, g) at a time, and say how far it is."""
    done, n_genes = 0, len(gene_names(folder))
    for block in gene_blocks(folder, n_cells):
        yield block
        done += block.shape[1]
        context.report(Progress(stage="Comparing genes", done=done, total=n_genes))
