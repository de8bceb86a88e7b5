"""Make the predictor of a method: what it reads besides the screen, and with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scviz.datasets.columns import gene_identifiers
from scviz.errors import RequestError
from scviz.foundation.perturbing import PerturbationInputs
from scviz.models import cards
from scviz.predictors.additive import Additive
from scviz.predictors.contract import GeneVectors, PerturbationPredictor
from scviz.predictors.linear import Linear
from scviz.predictors.no_change import NoChange
from scviz.predictors.ridge import Neighbors, Ridge
from scviz.predictors.terms import term_vectors
from scviz.predictors.train_mean import TrainMean
from scviz.tasks.context import Context
from scviz.tasks.perturbation import Request
from scviz.tasks.perturbation.methods import Method, Name
from scviz.tasks.perturbation.screening import Task


def build(
    method: Method, request: Request, task: Task, context: Context, **options: Any
) -> PerturbationPredictor:
    """Make a predictor that has not learned yet.

    Parameters
    ----------
    options
        Settings of a network's training that differ from what the request says.

    Raises
    ------
    RequestError
        If the method needs terms of genes and none are chosen.
    UnsupportedTaskError
        If the weights are those of a model that cannot do this.
    """
    if method.name in PLAIN:
        return PLAIN[method.name]()
    if method.name in ON_VECTORS:
        return ON_VECTORS[method.name](_vectors(method, request, task, context))
    if method.name == "linear_terms":
        if task.terms is None:
            raise RequestError(
                "The linear model on gene terms needs terms of genes.",
                hint="Choose some, add them on the Data page, or leave the method out.",
            )
        return Linear(perturbation_vectors=term_vectors(task.terms))
    also = {gene for one in (*task.test, *request.predict_also) for gene in one}
    settings = {"seed": request.seed, **({"epochs": request.epochs} if request.epochs else {}), **options}
    if method.name == "gears":
        from scviz.predictors.gears.predictor import Gears
        from scviz.predictors.gears.settings import GearsSettings

        return Gears(GearsSettings(**settings), terms=task.terms, also=also)
    model = context.model(method.checkpoint, "perturbation")
    return model.perturbation_predictor(PerturbationInputs(terms=task.terms, also=also, **settings))


PLAIN: Mapping[Name, Callable[[], PerturbationPredictor]] = {
    "no_change": NoChange,
    "train_mean": TrainMean,
    "additive": Additive,
    "linear": Linear,
}
ON_VECTORS: Mapping[Name, Callable[[GeneVectors], PerturbationPredictor]] = {
    "linear_genes": lambda vectors: Linear(gene_vectors=vectors),
    "linear_perturbations": lambda vectors: Linear(perturbation_vectors=vectors),
    "ridge": Ridge,
    "neighbors": Neighbors,
}


def _vectors(method: Method, request: Request, task: Task, context: Context) -> GeneVectors:
    """Return what a model knows of the genes of the screen and of every perturbed gene."""
    model = context.model(method.checkpoint, "perturbation")
    ids = gene_identifiers(context.workspace.dataset_folder(request.dataset))
    found = dict(zip(ids.names, model.vocab.match(ids).tolist(), strict=True))
    perturbed = {gene for one in (*task.screen.perturbed, *request.predict_also) for gene in one}
    absent = sorted(perturbed - found.keys())
    found |= dict(zip(absent, model.vocab.positions(absent).tolist(), strict=True))
    known = [(name, place) for name, place in found.items() if place >= 0]
    vectors = model.gene_embeddings()
    title = cards()[context.workspace.checkpoint(method.checkpoint).model].title
    return GeneVectors(
        genes=tuple(name for name, _ in known),
        vectors=vectors[np.array([place for _, place in known], dtype=np.int64)],
        source=f"gene vectors of {title}",
    )
