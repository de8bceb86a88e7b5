"""How strong every link is, by the method that was asked for and by those that stand beside it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column
from scviz.datasets.conditions import FEWEST_CELLS, conditions_of
from scviz.datasets.genes import identifiers
from scviz.datasets.screen import CONTROL
from scviz.errors import RequestError
from scviz.foundation.batching import pick_device
from scviz.foundation.gene_vectors import context_vectors
from scviz.networks.boosting import boosted_network
from scviz.networks.interventions import intervention_effects
from scviz.networks.similarity import unit_vectors
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.scenic import Method, Request
from scviz.tasks.scenic.inputs import Inputs
from scviz.workspace.chunks import Chunks

Strength = NDArray[np.float64]
"""(R, T) of each link; 0 is none."""
MOST_SIMILAR = 1000
"""Targets that a regulator may have by similarity of vectors, as in scFoundation's notebook."""
PRICED_CELLS = 2


def edge_weights(
    request: Request, inputs: Inputs, context: Context, *, rho: NDArray[np.float64]
) -> dict[Method, Strength]:
    """Rank links by the method that was asked for, which comes first, and by those that cost next to nothing.

    Parameters
    ----------
    rho
        (R, T) correlation of each regulator with each target.
    """
    found: dict[Method, Strength] = {"correlation": np.nan_to_num(np.abs(rho))}
    if request.condition_key:
        found["interventions"] = perturbed_effects(request, inputs, context)
    if request.method == "boosting":
        chunks = trees_of(context)
        chunks.clear_up()
        found["boosting"] = boosted_network(
            inputs.sampled,
            inputs.regulators,
            inputs.targets,
            seed=request.seed,
            chunks=chunks,
            report=context.report,
        ).importance
    if request.method == "similarity":
        found["similarity"] = similar_vectors(request, inputs, context)
    return {request.method: found.pop(request.method), **found}


def trees_of(context: Context) -> Chunks:
    """Return what is finished of the targets."""
    return Chunks.at(context.state / "trees")


def perturbed_effects(request: Request, inputs: Inputs, context: Context) -> Strength:
    """Compare cells of each perturbed regulator with control cells.

    Raises
    ------
    RequestError
        If the column names no control cells, or no regulator of enough cells.
    """
    rows = _rows_by_perturbation(context.workspace.dataset_folder(request.dataset), request.condition_key)
    place = {inputs.genes[i]: i for i in inputs.regulators}
    control = rows.pop(CONTROL, np.empty(0, dtype=np.int64))
    perturbed = {
        place[gene]: cells for (gene,), cells in rows.items() if gene in place and len(cells) >= FEWEST_CELLS
    }
    if len(control) < FEWEST_CELLS or not perturbed:
        raise RequestError(
            f"The column {request.condition_key!r} tells of {len(control)} control cells and {len(perturbed)} "
            "perturbed regulators.",
            hint="Choose the column that says what was perturbed, or none.",
        )
    return intervention_effects(
        inputs.expression, perturbed, control, regulators=inputs.regulators, targets=inputs.targets
    )


def _rows_by_perturbation(folder: Path, condition_key: str) -> dict[tuple[str, ...], NDArray[np.int64]]:
    """Find the cells in which nothing, or one gene alone, was perturbed."""
    conditions, column = conditions_of(folder, condition_key), cell_column(folder, condition_key)
    values = np.array([conditions.mapping.get(name) for name in column.categories or ()], dtype=object)
    return {
        one: np.flatnonzero(np.isin(column.values, np.flatnonzero([value == one for value in values])))
        for one in set(conditions.mapping.values())
        if one is not None and len(one) <= 1
    }


def similar_vectors(request: Request, inputs: Inputs, context: Context) -> Strength:
    """Compare the vectors that a model has of genes in these cells: 100 times the cosine, centered over genes.

    Each regulator keeps its nearest targets, from its own vector. scFoundation's notebook takes the vector of the first
    regulator for all of them, and does not center, where all cosines are near 1.

    Raises
    ------
    RequestError
        If the model knows too few of the regulators.
    """
    context.report(Progress(stage="Reading weights"))
    model = context.model(request.checkpoint, "scenic")
    model.to(pick_device(context.device)).eval()
    adata = context.counts(request.dataset)
    at = model.vocab.match(identifiers(adata.var))[inputs.columns]
    columns = np.union1d(inputs.regulators, inputs.targets)
    columns = columns[at[columns] >= 0]
    read = context_vectors(
        model,
        adata[_cells_read(request, inputs)],
        genes=[model.vocab.genes[i] for i in at[columns]],
        columns=inputs.columns[columns],
        chunks=Chunks.at(context.state / "vectors"),
        report=context.report,
    )
    known = np.asarray(np.isfinite(read).all(axis=1))
    vectors = np.zeros((len(inputs.genes), read.shape[1]))
    vectors[columns[known]] = unit_vectors(read[known])
    if not vectors[list(inputs.regulators)].any():
        raise RequestError(
            "The model knows none of the regulators, or sees none of them in these cells.",
            hint="Choose other weights, or links by another method.",
        )
    cosine = vectors[list(inputs.regulators)] @ vectors[list(inputs.targets)].T
    itself = np.equal.outer(np.array(inputs.regulators), np.array(inputs.targets))
    cosine = np.where(itself, 0.0, cosine)
    if cosine.shape[1] > MOST_SIMILAR:
        least = np.partition(cosine, -MOST_SIMILAR, axis=1)[:, [-MOST_SIMILAR]]
        cosine = np.where(cosine >= least, cosine, 0.0)
    return np.asarray(100 * np.maximum(cosine, 0.0))


def _cells_read(request: Request, inputs: Inputs) -> NDArray[np.int64]:
    """Draw the cells that the model reads."""
    rows = inputs.rows
    if len(rows) <= request.model_cells:
        return rows
    return np.sort(np.random.default_rng(request.seed).choice(rows, request.model_cells, replace=False))


def seconds_to_read(request: Request, inputs: Inputs, context: Context) -> float:
    """Let the model read two cells and say how long all will take."""
    rows = _cells_read(request, inputs)
    model = context.model(request.checkpoint, "scenic")
    adata = context.counts(request.dataset)
    begun = time.perf_counter()
    model.context_gene_embeddings(adata[rows[:PRICED_CELLS]], model.vocab.genes[:1])
    return (time.perf_counter() - begun) / PRICED_CELLS * len(rows)
