"""A result as tables that page and command write: every score can be computed again from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from scviz.metrics.perturbation_table import METRICS, UNKNOWING
from scviz.tasks.perturbation import Result
from scviz.workspace.csv_files import csv_text

CONTROL_OF_TRUTH, CONTROL_OF_PREDICTIONS = "control of measured changes", "control of predicted changes"
MEASURED, LEARNED, PLACE = "measured", "learned from", "place among the most changed"


def prediction_columns(result: Result) -> dict[str, list[object]]:
    """Put what was measured and predicted in columns, a row per gene.

    Besides the genes: the mean log expression of the control cells from which measured changes start and of those from
    which predicted ones do; of each test perturbation the measured mean and the place of a gene among the most changed
    (empty for most); the measured mean of each perturbation that was learned from; the means that each method predicts.
    """
    tested = [one.name for one in result.tested]
    columns: dict[str, list[object]] = {
        "gene": list(result.genes),
        CONTROL_OF_TRUTH: list(result.control.tolist()),
        CONTROL_OF_PREDICTIONS: list(result.control_predicted.tolist()),
    }
    for row, name in enumerate(tested):
        place: list[object] = [""] * len(result.genes)
        for rank, gene in enumerate(result.de_order[row].tolist(), start=1):
            place[gene] = rank
        columns[f"{MEASURED} {name}"] = list(result.observed[row].tolist())
        columns[f"{PLACE} {name}"] = place
    for genes, mean in zip(result.learned_from, result.learned, strict=True):
        columns[f"{LEARNED} {'+'.join(genes)}"] = list(mean.tolist())
    for key, means in result.predicted.items():
        for name, mean in zip([*tested, *map("+".join, result.asked)], means, strict=True):
            columns[f"{result.outcomes[key].title}: {name}"] = list(mean.tolist())
    return columns


def predictions_as_csv(result: Result) -> str:
    """Write what was measured and predicted, a row per gene."""
    columns = prediction_columns(result)
    return _written([list(columns), *map(list, zip(*columns.values(), strict=True))])


def score_rows(result: Result) -> Iterator[list[object]]:
    """Give a row per perturbation and method, halves of the cells among them; the first row names the columns."""
    yield ["perturbation", "group", "cells", "method", "genes", *METRICS, "ceiling of pearson_delta"]
    tables = (("all", result.scores), ("without the perturbed", result.scores_without_targets))
    for row, (genes, scores) in enumerate(tables):
        for key, outcome in result.outcomes.items():
            for one, values, top in zip(result.tested, scores[key].T, result.ceiling[row], strict=True):
                yield [
                    one.name,
                    one.subgroup,
                    one.n_cells,
                    outcome.title,
                    genes,
                    *_numbers(values),
                    _number(top),
                ]


def scores_as_csv(result: Result) -> str:
    """Write a row per perturbation and method."""
    return _written(list(score_rows(result)))


def ceiling_of(result: Result, rows: Sequence[int], *, without: bool = False) -> float | None:
    """Average the correlation of changes that the true change would have over some perturbations; None if unknown."""
    values = result.ceiling[int(without)][list(rows)]
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def unknowing_scores(result: Result, metric: str, group: str = "all") -> dict[str, float]:
    """Give what predictions score that cannot know the perturbation, by title; nothing for scores that rank none."""
    if not METRICS[metric].ranks:
        return {}
    found = (result.outcomes[key] for key in UNKNOWING if key in result.outcomes)
    return {one.title: one.summaries[metric][group].mean for one in found}


def _numbers(values: np.ndarray) -> list[object]:
    return [_number(value) for value in values]


def _number(value: np.floating) -> object:
    return "" if np.isnan(value) else float(value)


def _written(rows: list[list[object]]) -> str:
    return csv_text(rows, lineterminator="\r\n")
