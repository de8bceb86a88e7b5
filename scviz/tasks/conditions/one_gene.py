"""One gene in one type, donor by donor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_values
from scviz.errors import RequestError
from scviz.metrics.donors import Design, design_of, differences
from scviz.metrics.evidence import counted
from scviz.tasks.conditions import Request
from scviz.tasks.conditions.inputs import Inputs

N_BINS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneByDonor:
    """The expression of a gene in s samples of a type."""

    donors: tuple[str, ...]
    """(s,)."""
    sides: NDArray[np.int64]
    """(s,) 0 for the first condition, 1 for the second."""
    n_cells: NDArray[np.int64]
    """(s,)."""
    means: NDArray[np.float64]
    """(s,) mean log expression."""
    heights: NDArray[np.float64]
    """(B,) expression at which the outlines are given."""
    outlines: NDArray[np.float64]
    """(s, B) how many cells have it, the most frequent 1."""
    paired: bool
    sentence: str


def gene_by_donor(request: Request, inputs: Inputs, folder: Path, *, gene: str, type: str) -> GeneByDonor:
    """Read the expression of a gene in the cells of a type, and compare the means of the donors.

    Raises
    ------
    RequestError
        If no sample has enough cells of the type.
    DataError
        If the dataset has no such gene.
    """
    n_samples = len(inputs.donors)
    own = inputs.type_of == (inputs.types.index(type) if type in inputs.types else -2)
    rows, values = gene_values(folder, gene)
    expression = np.zeros(len(own))
    expression[rows] = values
    n_cells = np.bincount(inputs.sample_of[own], minlength=n_samples)
    kept = np.flatnonzero(n_cells >= request.fewest_cells)
    if not len(kept):
        raise RequestError(
            f"No donor has {request.fewest_cells} cells or more of {type}.",
            hint="Choose a more frequent type, or allow fewer cells (Advanced).",
        )
    edges = np.linspace(0, max(float(expression[own].max(initial=0)), 0.1), N_BINS + 1)
    counts = np.stack([np.histogram(expression[own & (inputs.sample_of == i)], edges)[0] for i in kept])
    sums = np.bincount(inputs.sample_of[own], weights=expression[own], minlength=n_samples)
    means = sums[kept] / n_cells[kept]
    design = design_of(inputs.sides[kept], inputs.donor_codes[kept])
    found = differences(means[:, None], design)
    half = float(found.half_width()[0])
    return GeneByDonor(
        donors=tuple(inputs.donors[i] for i in kept),
        sides=inputs.sides[kept],
        n_cells=n_cells[kept],
        means=means,
        heights=(edges[:-1] + edges[1:]) / 2,
        outlines=_smooth(counts),
        paired=design.paired,
        sentence=_sentence(request, f"{gene} in {type}", _means(means, design), half=half)
        + _donors(len(design.first), len(design.second), paired=design.paired),
    )


def _smooth(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Smooth histograms, (s, B), the widest place of each 1."""
    bell = np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2)
    smooth = np.stack([np.convolve(row, bell / bell.sum(), mode="same") for row in counts])
    return np.asarray(smooth / smooth.max(axis=1, keepdims=True))


def _means(means: NDArray[np.float64], design: Design) -> tuple[float, float]:
    """Average (s,) means of samples over the donors of both conditions that are compared."""
    first, second = (means[rows] for rows in (design.first, design.second))
    return float(first.mean()) if len(first) else np.nan, float(second.mean()) if len(second) else np.nan


def _sentence(request: Request, lead: str, means: tuple[float, float], *, half: float) -> str:
    """Say by how much the mean over donors differs; `half` is half of the interval, NaN where it is not known."""
    first, second = means
    if np.isnan(first) or np.isnan(second):
        return f"{lead}: no donor of {request.first if np.isnan(first) else request.second} has enough cells"
    said = f"{lead}: mean log expression {first:.2f} in {request.first}, {second:.2f} in {request.second}"
    if np.isnan(half):
        return f"{said}; too few donors for an interval"
    gap = first - second
    return f"{said} (difference {gap:+.2f}, 95 % interval {gap - half:+.2f} to {gap + half:+.2f} by t test)"


def _donors(n: int, m: int, *, paired: bool) -> str:
    if paired:
        return f"; {counted(n, 'donor')}, each compared with itself."
    return f"; {n:,} and {counted(m, 'donor')}."
