"""What to say of cells that are kept and lost; light enough for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_quality import MEASURES
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import RARE, Bounds, Loss, within

MOST_NAMED = 3


def kept_sentence(kept: NDArray[np.bool_], types: Sequence[Loss]) -> str:
    """Say how many of (N,) cells are kept, and which types lose most of theirs."""
    n_kept, n_cells = int(kept.sum()), len(kept)
    said = f"Kept {n_kept:,} of {counted(n_cells, 'cell')} ({100 * n_kept / max(1, n_cells):.1f} %)."
    hit = [one for one in types if one.lost][:MOST_NAMED]
    if not hit:
        return said
    named = ", ".join(f"{one.lost:,} of {one.n:,} {one.name} ({100 * one.share:.0f} %)" for one in hit)
    return f"{said} Lost most: {named}."


def warnings(groups: Sequence[Loss]) -> tuple[str, ...]:
    """Warn of each group that would lose all or more than half of its cells, a sentence each."""
    return tuple(_warning(one) for one in groups if one.is_grave)


def _warning(one: Loss) -> str:
    rare = " This group is rare: look at its cells before they go." if one.n <= RARE else ""
    if one.lost == one.n:
        return f"All {counted(one.n, 'cell')} of {one.name} would be lost.{rare}"
    return (
        f"More than half of {one.name} would be lost: {one.lost:,} of {counted(one.n, 'cell')} "
        f"({100 * one.share:.0f} %).{rare}"
    )


def lost_by_measure(
    measures: Mapping[str, NDArray[np.float64]], bounds: Mapping[str, Bounds]
) -> dict[str, int]:
    """Count the cells that each measure alone would cost, by its label; measures are (N,) each."""
    counts = {name: int((~within(measures[name], one)).sum()) for name, one in bounds.items()}
    return {MEASURES[name].label: n for name, n in counts.items() if n}
