"""Which known types of cells the modules tell apart, beside random genes, in cells that did not make the modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.datasets.labels import Labels
from scviz.metrics.coherence import RandomSets, separation
from scviz.metrics.evidence import Place, place_of
from scviz.networks.module_scores import expression_bins, module_scores
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.modules import Facts, Request
from scviz.tasks.modules.clustering import Cut
from scviz.tasks.modules.inputs import Inputs

N_DRAWS = 99
"""Draws of random sets, one set for each module: the best of all modules and types is compared with their best."""
MOST_CELLS = 2000
FEWEST_OF_TYPE = 5
"""Types with fewer cells are not told apart: the best of them would be chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCells:
    """S cells of known type that did not make the modules."""

    rows: NDArray[np.int64]
    """(S,) ascending."""
    expression: sp.csr_matrix
    """(S, C) log1p, of all genes of the dataset."""
    bins: NDArray[np.int64]
    """(C,) bin of expression of each gene, in all cells of the dataset."""
    codes: NDArray[np.int64]
    """(S,) type of each."""
    few: NDArray[np.int64]
    """Types of too few of these cells."""
    n_types: int

    def auroc(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Tell how well the score of each of M sets of genes tells each type from all others, (T, M)."""
        found = separation(module_scores(self.expression, sets, bins=self.bins), self.codes, self.n_types)
        found[self.few] = np.nan
        return found


def typed_cells(inputs: Inputs, types: Labels, seed: int) -> TypedCells:
    """Draw cells of known type, none of which was used to find modules."""
    codes = types.codes.copy()
    codes[inputs.found_in] = -1
    known = np.random.default_rng(seed).permutation(np.flatnonzero(codes >= 0))
    rows = np.sort(known[:MOST_CELLS])
    counts = np.bincount(codes[rows], minlength=len(types.names))
    return TypedCells(
        rows=rows,
        expression=sp.csr_matrix(inputs.expression[rows]),
        bins=expression_bins(inputs.expression),
        codes=codes[rows],
        few=np.flatnonzero(counts < FEWEST_OF_TYPE),
        n_types=len(types.names),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How well M modules tell T types apart."""

    facts: tuple[Facts, ...]
    auroc: NDArray[np.float64]
    """(T, M)."""
    cells: TypedCells


def tell(
    request: Request,
    inputs: Inputs,
    types: Labels,
    *,
    cuts: tuple[Cut, Cut],
    beside: Sequence[RandomSets],
    context: Context,
) -> Telling:
    """Tell how well the score of each module tells each type from all other cells.

    Parameters
    ----------
    cuts
        The source asked for, and plain co-expression.
    beside
        Random sets of each module of the first.
    """
    cells = typed_cells(inputs, types, request.seed)
    auroc = cells.auroc([inputs.columns[one.genes] for one in beside])
    places = places_among_random(inputs, cells, beside, context=context)
    facts = []
    for number, genes in enumerate(cuts[0].members):
        best, highest = best_type(auroc[:, number])
        facts.append(
            Facts(
                overlap=max((_jaccard(genes, other) for other in cuts[1].members), default=0.0),
                best_type="" if best < 0 else types.names[best],
                auroc=highest,
                type_place=places[number],
            )
        )
    return Telling(facts=tuple(facts), auroc=auroc, cells=cells)


def best_type(auroc: NDArray[np.float64]) -> tuple[int, float]:
    """Give the type that is told best of (T,), and how well; -1 and NaN where none is."""
    if not np.isfinite(auroc).any():
        return -1, float("nan")
    return int(np.nanargmax(auroc)), float(np.nanmax(auroc))


def places_among_random(
    inputs: Inputs, cells: TypedCells, beside: Sequence[RandomSets], *, context: Context
) -> list[Place]:
    """Place the best type of each module among the best of all modules and types in each draw of random sets."""
    judged = cells.auroc([inputs.columns[one.judged] for one in beside])  # (T, M)
    drawn = np.full((N_DRAWS, len(beside)), np.nan)
    for number, one in enumerate(beside):
        context.report(Progress(stage="Scoring random genes", done=number, total=len(beside)))
        sets = [inputs.columns[genes] for genes in one.sets[:N_DRAWS]]
        if sets and len(cells.rows):
            found = cells.auroc(sets)
            drawn[: len(sets), number] = [best_type(column)[1] for column in found.T]
    known = drawn[:, np.isfinite(drawn).all(axis=0)]
    best = known.max(axis=1) if known.size else np.empty(0)
    return [place_of(best_type(column)[1], best) for column in judged.T]


def _jaccard(genes: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Count the genes that two modules share, by those of either."""
    return float(len(np.intersect1d(genes, others)) / len(np.union1d(genes, others)))
