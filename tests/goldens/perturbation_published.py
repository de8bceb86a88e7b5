"""Scores of predicted cells under the names and by the rules of GEARS and scGPT, to compare with printed numbers.

Our own results are in `perturbation.py`. The numbers here differ from those where the authors' code does: means are
taken in the precision of the values, and a correlation that is not defined is 0 (GEARS) or NaN (scGPT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.differential import TOP_DE

DEPTHS = (20, 50, 100, 200)
"""How many of the most changed genes the tables of GEARS look at."""
N_VARIABLE = 200
BANDS = {"": None, "_45_55": (0.45, 0.55), "_40_60": (0.4, 0.6), "_25_75": (0.25, 0.75)}
"""Quantiles of the measured cells between which a predicted mean may lie; None = between the extremes."""
FOLDS: dict[str, tuple[float, float]] = {
    "all": (0.0, np.inf),
    "downreg_0.33": (0.0, 0.333),
    "downreg_0.1": (0.0, 0.1),
    "upreg_3": (3.0, np.inf),
    "upreg_10": (10.0, np.inf),
}
LEAST_EXPRESSED = 0.5
"""Mean log expression below which a fold change means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedCells:
    """Predicted and measured cells of one perturbation."""

    predicted: NDArray[np.floating]
    """(n, G)."""
    observed: NDArray[np.floating]
    """(n, G)."""

    @property
    def means(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Predicted and measured mean, (G,) each, in the precision of the values."""
        return self.predicted.mean(axis=0), self.observed.mean(axis=0)


def group_cells(
    predicted: NDArray[np.floating], observed: NDArray[np.floating], conditions: NDArray[np.str_]
) -> dict[str, PredictedCells]:
    """Part cells, (N, G), by their condition, (N,)."""
    return {
        str(name): PredictedCells(
            predicted=predicted[conditions == name], observed=observed[conditions == name]
        )
        for name in np.unique(conditions)
    }


def basic_scores(cells: PredictedCells, top_de: NDArray[np.int64]) -> dict[str, float]:
    """Score expression itself, not its change: GEARS' `compute_metrics`."""
    predicted, observed = cells.means
    return {
        "mse": _mse(predicted, observed),
        "pearson": _pearson(predicted, observed),
        "mse_de": _mse(predicted[top_de], observed[top_de]),
        "pearson_de": _pearson(predicted[top_de], observed[top_de]),
    }


def deeper_scores(
    cells: PredictedCells,
    control: NDArray[np.floating],
    order: NDArray[np.int64],
    variable: NDArray[np.int64],
) -> dict[str, float]:
    """Score changes at several depths: GEARS' `deeper_analysis`.

    Parameters
    ----------
    control
        (G,) mean of the control cells.
    order
        Genes, the most changed first.
    variable
        Genes whose mean differs most between conditions, from `most_variable`.

    Returns
    -------
    By the authors' names. `frac_correct_direction_20_nonzero` is kept for the record and says nothing: it takes
    predictions in one order of genes and control in another.
    """
    predicted, observed = cells.means
    every = np.arange(len(control))
    top = order[:TOP_DE]
    scores = {"frac_correct_direction_all": _ways(cells, control, every, len(control))[0]}
    scores |= {f"frac_correct_direction_{n}": _ways(cells, control, order[:n], n)[0] for n in DEPTHS}
    scores |= _mixed_direction(cells, control, top)
    scores |= _ranges(cells, np.sort(top), "")
    scores["pearson_delta"] = _pearson(predicted - control, observed - control)
    scores["pearson_delta_de"] = _pearson((predicted - control)[top], (observed - control)[top])
    scores |= _fold_change_gaps(cells, control)
    scores |= _subset(cells, control, variable, f"top{N_VARIABLE}_hvg")
    for n in DEPTHS:
        scores |= _subset(cells, control, order[:n], f"top{n}_de")
    return scores


def non_zero_scores(
    cells: PredictedCells, control: NDArray[np.floating], top_non_zero: NDArray[np.int64]
) -> dict[str, float]:
    """Score the most changed genes that some perturbed cell expresses: GEARS' `non_zero_analysis`."""
    return (
        _ways_named(cells, control, top_non_zero, "top20_non_zero")
        | _ranges(cells, top_non_zero, "_non_zero")
        | _subset(cells, control, top_non_zero, "top20_de_non_zero")
    )


def non_dropout_scores(
    cells: PredictedCells,
    control: NDArray[np.floating],
    *,
    top_non_dropout: NDArray[np.int64],
    non_zero: NDArray[np.int64],
    non_dropout: NDArray[np.int64],
) -> dict[str, float]:
    """Score the most changed genes that did not just drop out: GEARS' `non_dropout_analysis`."""
    return (
        _ways_named(cells, control, top_non_dropout, "top20_non_dropout")
        | _ways_named(cells, control, non_zero, "non_zero")
        | _ways_named(cells, control, non_dropout, "non_dropout")
        | _ranges(cells, top_non_dropout, "_non_dropout")
        | _subset(cells, control, top_non_dropout, "top20_de_non_dropout")
    )


def most_variable(means: NDArray[np.floating]) -> NDArray[np.int64]:
    """Find the N_VARIABLE genes whose mean differs most between conditions, from (conditions, G) means."""
    return np.argsort(np.std(means, axis=0))[-N_VARIABLE:]


def scgpt_scores(
    cells: Mapping[str, PredictedCells],
    control: NDArray[np.floating],
    top_de: Mapping[str, NDArray[np.int64]],
    *,
    non_zero_genes: bool = False,
) -> dict[str, list[float]]:
    """Correlate expression and changes by condition: scGPT's `compute_perturbation_metrics`.

    Parameters
    ----------
    cells
        By condition, in the order in which values are listed.
    top_de
        By condition: the most changed genes, or with `non_zero_genes` those that did not just drop out.
    non_zero_genes
        Take the correlations over all genes only over those that perturbed cells express.

    Returns
    -------
    By metric, one value for each condition; NaN where nothing varies. A condition whose measured means are all zero
    is left out.
    """
    scores: dict[str, list[float]] = {
        name: [] for name in ("pearson", "pearson_de", "pearson_delta", "pearson_de_delta")
    }
    for condition, of_one in cells.items():
        predicted, observed = (
            part.mean(axis=0, dtype=np.float64) for part in (of_one.predicted, of_one.observed)
        )
        genes = {
            "": np.flatnonzero(observed != 0) if non_zero_genes else np.arange(len(control)),
            "_de": top_de[condition],
        }
        for suffix, columns in genes.items():
            there = observed if suffix == "" else observed[columns]
            if not there.any():
                continue
            scores[f"pearson{suffix}"].append(_correlation(observed[columns], predicted[columns]))
            changes = [(part - control)[columns] for part in (observed, predicted)]
            scores[f"pearson{suffix}_delta"].append(_correlation(changes[0], changes[1]))
    return scores


def _correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Pearson correlation, rounding noise and all; NaN where nothing varies."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = (np.asarray(part, np.float64) - np.mean(part, dtype=np.float64) for part in (x, y))
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1))


def _pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Pearson correlation as GEARS has it: 0 where nothing varies."""
    return float(np.nan_to_num(_correlation(x, y)))


def _mse(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Mean squared difference."""
    return float(np.mean((x - y) ** 2, dtype=np.float64))


def _ways(
    cells: PredictedCells, control: NDArray[np.floating], genes: NDArray[np.int64], n: int
) -> tuple[float, float, float]:
    """Shares of n of genes that go the predicted way, the opposite one, or move in one of the two alone."""
    signs = [np.sign(mean[genes] - control[genes]) for mean in cells.means]
    apart = np.abs(signs[0] - signs[1])
    return tuple(float((apart == by).sum() / n) for by in (0, 2, 1))  # type: ignore[return-value]


def _ways_named(
    cells: PredictedCells, control: NDArray[np.floating], genes: NDArray[np.int64], name: str
) -> dict[str, float]:
    """Name the three shares as GEARS does."""
    kinds = ("correct", "opposite", "0/1")
    shares = _ways(cells, control, genes, len(genes))
    return {f"frac_{kind}_direction_{name}": share for kind, share in zip(kinds, shares, strict=True)}


def _mixed_direction(
    cells: PredictedCells, control: NDArray[np.floating], top: NDArray[np.int64]
) -> dict[str, float]:
    """Share of genes in the right direction, with the authors' mistake: means by column, control by rank."""
    columns = np.sort(top)
    real = np.flatnonzero(cells.observed[:, columns].any(axis=0))
    if not len(real):
        return {}
    signs = [np.sign(mean[columns][real] - control[top][real]) for mean in cells.means]
    return {"frac_correct_direction_20_nonzero": float(np.mean(signs[0] == signs[1]))}


def _ranges(cells: PredictedCells, genes: NDArray[np.int64], suffix: str) -> dict[str, float]:
    """Say how often predicted means lie among the measured cells; nothing where no cell expresses any gene."""
    measured = cells.observed[:, genes]
    predicted, mean = (part[genes] for part in cells.means)
    real = measured.any(axis=0)
    if not real.any():
        return {}
    scores = {}
    for name, band in BANDS.items():
        low, high = np.quantile(measured, band or (0.0, 1.0), axis=0)
        inside = (predicted >= low) & (predicted <= high)
        scores[f"frac_in_range{name}{suffix}"] = float(inside[real].mean())
    spread = np.std(measured, axis=0)
    varies = spread > 0
    if not varies.any():
        return scores
    sigma = np.abs(predicted[varies] - mean[varies]) / spread[varies]
    return scores | {
        f"mean_sigma{suffix}": float(sigma.mean()),
        f"std_sigma{suffix}": float(sigma.std()),
        f"frac_sigma_below_1{suffix}": float(1 - (sigma > 1).mean()),
        f"frac_sigma_below_2{suffix}": float(1 - (sigma > 2).mean()),
    }


def _subset(
    cells: PredictedCells, control: NDArray[np.floating], genes: NDArray[np.int64], name: str
) -> dict[str, float]:
    """Correlate changes and expression over some genes."""
    predicted, observed = (part[genes] for part in cells.means)
    changes = predicted - control[genes], observed - control[genes]
    return {
        f"pearson_delta_{name}": _pearson(*changes),
        f"pearson_{name}": _pearson(predicted, observed),
        f"mse_{name}": _mse(*changes),
    }


def _fold_change_gaps(cells: PredictedCells, control: NDArray[np.floating]) -> dict[str, float]:
    """Average the gap between predicted and measured fold changes, over genes with a fold change in a range."""
    predicted, observed = cells.means
    with np.errstate(divide="ignore", invalid="ignore"):
        fold = observed / control
    fold = np.where(np.isfinite(fold) & (observed >= LEAST_EXPRESSED), fold, 0.0)
    gaps = {}
    for name, (low, high) in FOLDS.items():
        genes = np.flatnonzero((fold > low) & (fold < high))
        if len(genes):
            gap = np.abs(predicted[genes] / control[genes] - observed[genes] / control[genes])
            gaps[f"fold_change_gap_{name}"] = float(gap.mean())
    return gaps
