"""How many genes of each type change between conditions, donor by donor, and with equally many cells of each type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_names
from scviz.datasets.donor_sums import donor_sums
from scviz.metrics.donors import Design, design_of, log_levels, moderated_differences, swapped
from scviz.metrics.evidence import counted, fdr
from scviz.metrics.thinning import evened
from scviz.progress import Progress
from scviz.tasks.conditions import MOST_FDR, MOST_KEPT, N_DRAWS, GeneChange, Request, TypeGenes
from scviz.tasks.conditions.inputs import Inputs
from scviz.tasks.context import Context

FEWEST_COUNTS = 10
"""A gene is tested if it has as many in as many samples as the condition with fewer donors has."""
VALUES_AT_A_TIME = 30_000_000
"""Sums of genes that are in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The samples of one type that are compared."""

    type: int
    samples: NDArray[np.int64]
    """(s,) samples with enough cells of the type."""
    n_cells: NDArray[np.int64]
    """(s,) cells of the type in each."""
    sides: NDArray[np.int64]
    """(s,) condition of each."""
    design: Design
    reason: str
    """Why it cannot be compared; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the test of one type found."""

    genes: NDArray[np.int64]
    """(T,) tested genes, the smallest p first."""
    change: NDArray[np.float64]
    """(T,) log2."""
    p_value: NDArray[np.float64]
    """(T,)."""
    adjusted_p: NDArray[np.float64]
    """(T,)."""

    @property
    def n_changed(self) -> int:
        """Genes that pass."""
        return int(np.sum(self.adjusted_p <= MOST_FDR))


def parts_of(request: Request, inputs: Inputs) -> list[Part]:
    """Find the samples of each type that have enough cells."""
    parts = []
    for number in range(len(inputs.types)):
        n_cells = inputs.counts[:, number]
        samples = np.flatnonzero(n_cells >= request.fewest_cells)
        sides = inputs.sides[samples]
        design = design_of(sides, inputs.donor_codes[samples])
        parts.append(
            Part(
                type=number,
                samples=samples,
                n_cells=n_cells[samples],
                sides=sides,
                design=design,
                reason="" if design.enough else _reason(request, sides),
            )
        )
    return parts


def _reason(request: Request, sides: NDArray[np.int64]) -> str:
    names = (request.first, request.second)
    few = [
        f"{counted(int(np.sum(sides == side)), 'donor')} of {name}"
        for side, name in enumerate(names)
        if np.sum(sides == side) < 2
    ]
    verb = "has" if len(few) == 1 and few[0].startswith("1 ") else "have"
    return f"{' and '.join(few)} {verb} {request.fewest_cells} cells or more; it takes 2 donors in each"


def equal_size(parts: list[Part]) -> int:
    """Give the number of cells that every compared sample of every type has at least; 0 if none is compared."""
    return min((int(one.n_cells[one.design.rows].min()) for one in parts if not one.reason), default=0)


def changed_genes(request: Request, inputs: Inputs, context: Context) -> tuple[TypeGenes, ...]:
    """Compare all genes of each type, with all cells, with equally many, and with conditions swapped at random."""
    folder, parts = context.workspace.dataset_folder(request.dataset), parts_of(request, inputs)
    names, fewest = gene_names(folder), equal_size(parts)
    rng = np.random.default_rng(request.seed)
    compared = [one for one in parts if not one.reason]
    found: dict[int, Found] = {}
    more: dict[int, float] = {}
    equal: defaultdict[int, list[Found]] = defaultdict(list)
    chance: defaultdict[int, list[int]] = defaultdict(list)
    for part, sums in _sums(inputs, folder, compared, n_genes=len(names)):
        even = evened(sums, part.design, rng)
        found[part.type], more[part.type] = genes_of(even.sums, part.design), even.more
        for _ in range(N_DRAWS):
            chance[part.type].append(genes_of(even.sums, swapped(part.design, rng)).n_changed)
    for draw in range(N_DRAWS):
        context.report(Progress(stage="Comparing equally many cells", done=draw, total=N_DRAWS))
        for part, sums in _sums(inputs, folder, compared, n_genes=len(names), most=fewest, rng=rng):
            even = evened(sums, part.design, rng)
            equal[part.type].append(genes_of(even.sums, part.design))
    return tuple(
        _nothing(inputs, part)
        if part.reason
        else replace(
            _told(
                inputs, part, found[part.type], names=names, equal=equal[part.type], chance=chance[part.type]
            ),
            more_counts=more[part.type],
        )
        for part in parts
    )


def _sums(
    inputs: Inputs,
    folder: Path,
    parts: list[Part],
    *,
    n_genes: int,
    most: int = 0,
    rng: np.random.Generator | None = None,
) -> Iterator[tuple[Part, NDArray[np.int64]]]:
    """Sum the counts of each sample of each type, (s, G); of `most` of its cells, drawn at random, if that is given."""
    start = 0
    while start < len(parts):
        stop, n_rows = start + 1, len(parts[start].samples)
        while stop < len(parts) and (n_rows + len(parts[stop].samples)) * n_genes <= VALUES_AT_A_TIME:
            n_rows += len(parts[stop].samples)
            stop += 1
        codes, row = np.full(len(inputs.type_of), -1, dtype=np.int64), 0
        for part in parts[start:stop]:
            for sample in part.samples:
                rows = np.flatnonzero((inputs.type_of == part.type) & (inputs.sample_of == sample))
                codes[rows if rng is None else rng.choice(rows, min(most, len(rows)), replace=False)] = row
                row += 1
        sums, row = donor_sums(folder, codes, n_rows), 0
        for part in parts[start:stop]:
            yield part, sums[row : row + len(part.samples)]
            row += len(part.samples)
        start = stop


def genes_of(sums: NDArray[np.int64], design: Design) -> Found:
    """Test the genes with enough counts for a difference between conditions.

    Parameters
    ----------
    sums
        (s, G) counts of each sample.
    """
    needed = min(len(design.first), len(design.second))
    tested = np.flatnonzero((sums[design.rows] >= FEWEST_COUNTS).sum(axis=0) >= needed)
    none = np.zeros(0)
    if not len(tested):
        return Found(genes=tested, change=none, p_value=none, adjusted_p=none)
    found = moderated_differences(log_levels(sums[:, tested]), design)
    p_value = np.nan_to_num(found.p_value, nan=1.0)
    order = np.lexsort((-np.abs(found.mean), p_value))
    return Found(
        genes=tested[order],
        change=found.mean[order],
        p_value=p_value[order],
        adjusted_p=fdr(p_value)[order],
    )


def _told(
    inputs: Inputs,
    part: Part,
    found: Found,
    *,
    names: tuple[str, ...],
    equal: list[Found],
    chance: list[int],
) -> TypeGenes:
    passing = found.adjusted_p <= MOST_FDR
    numbers = [one.n_changed for one in equal]
    return TypeGenes(
        type=inputs.types[part.type],
        n_cells=_cells(part),
        n_donors=(len(part.design.first), len(part.design.second)),
        paired=part.design.paired,
        n_tested=len(found.genes),
        n_higher=int(np.sum(passing & (found.change > 0))),
        n_lower=int(np.sum(passing & (found.change < 0))),
        n_equal=round(float(np.median(numbers))),
        equal_range=(min(numbers), max(numbers)),
        n_equal_tested=round(float(np.median([len(one.genes) for one in equal]))),
        n_swapped=round(float(np.median(chance))),
        reason="",
        first=tuple(
            GeneChange(
                gene=names[gene],
                change=float(found.change[i]),
                p_value=float(found.p_value[i]),
                adjusted_p=float(found.adjusted_p[i]),
            )
            for i, gene in enumerate(found.genes[:MOST_KEPT].tolist())
        ),
    )


def _nothing(inputs: Inputs, part: Part) -> TypeGenes:
    """Say that a type was not compared."""
    return TypeGenes(
        type=inputs.types[part.type],
        n_cells=_cells(part),
        n_donors=(int(np.sum(part.sides == 0)), int(np.sum(part.sides == 1))),
        paired=False,
        n_tested=0,
        n_higher=0,
        n_lower=0,
        n_equal=0,
        equal_range=(0, 0),
        n_equal_tested=0,
        n_swapped=0,
        reason=part.reason,
        first=(),
    )


def _cells(part: Part) -> tuple[int, int]:
    """Count the cells of the samples that are compared, or could not be, in both conditions."""
    if part.reason:
        return int(part.n_cells[part.sides == 0].sum()), int(part.n_cells[part.sides == 1].sum())
    return int(part.n_cells[part.design.first].sum()), int(part.n_cells[part.design.second].sum())
