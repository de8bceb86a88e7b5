"""Which thresholds are suggested, and which of them hold at first; light enough for pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_quality import MEASURES, Measure
from scviz.metrics.thresholds import Bounds, usual_bounds, within
from scviz.tasks.qc import Result

RULE = (
    "Suggested: the median less and plus {n_mads:g} MAD (median absolute deviation from the median, not scaled), for "
    "counts and genes on a logarithmic scale. They hold for counts and genes at both ends and for the mitochondrial "
    "share at the upper end; for the ribosomal share, which differs between cell types, they are only drawn. Doublets: "
    "the valley between the two peaks of simulated scores, as scrublet has it; of several batches, the highest."
)


def suggested(result: Result, n_mads: float) -> dict[str, Bounds]:
    """Suggest thresholds of each measure of a result; whole ones where all numbers are whole."""
    return {
        name: _whole(_suggested(result, name, n_mads))
        if measure.logarithmic and np.array_equal(result.measures[name], np.rint(result.measures[name]))
        else _suggested(result, name, n_mads)
        for name, measure in MEASURES.items()
        if name in result.measures
    }


def at_first(bounds: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """Leave those suggested thresholds that hold until somebody moves them."""
    return {name: _applied(one, MEASURES[name]) for name, one in bounds.items()}


def kept_cells(
    measures: Mapping[str, NDArray[np.float64]], bounds: Mapping[str, Bounds]
) -> NDArray[np.bool_]:
    """Tell which cells are within all thresholds, (N,); measures are (N,) each."""
    kept = np.ones(len(measures["counts"]), dtype=bool)
    for name, one in bounds.items():
        kept &= within(measures[name], one)
    return kept


def _suggested(result: Result, name: str, n_mads: float) -> Bounds:
    if name == "doublet_score":
        return Bounds(high=max(result.doublet_thresholds.values(), default=None))
    measure = MEASURES[name]
    found = usual_bounds(result.measures[name], n_mads=n_mads, logarithmic=measure.logarithmic)
    beyond = measure.share and found.high is not None and found.high >= 1
    return replace(found, high=None) if beyond else found


def _whole(bounds: Bounds) -> Bounds:
    """Round inwards, which changes nothing for whole numbers."""
    return Bounds(
        low=None if bounds.low is None else float(np.ceil(bounds.low)),
        high=None if bounds.high is None else float(np.floor(bounds.high)),
    )


def _applied(bounds: Bounds, measure: Measure) -> Bounds:
    low, high = measure.applied
    return Bounds(low=bounds.low if low else None, high=bounds.high if high else None)
