"""Make the predictor of a method: what it reads besides the screen, and with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from scviz.datasets.columns import gene_identifiers
from scviz.errors import RequestError
from scviz.foundation.perturbing import PerturbationInputs
from scviz.foundation.predictor import PerturbationPredictor
from scviz.models import cards
from scviz.predictors.additive import Additive, MatchingMean
from scviz.predictors.gears.predictor import Gears
from scviz.predictors.gears.settings import GearsSettings
from scviz.predictors.linear import Linear
from scviz.predictors.no_change import NoChange
from scviz.predictors.ridge import Neighbors, Ridge
from scviz.predictors.terms import term_vectors
from scviz.predictors.train_mean import TrainMean
from scviz.predictors.vectors import GeneVectors
from scviz.tasks.context import Context
from scviz.tasks.perturbation.inputs import Inputs
from scviz.tasks.perturbation.methods import Method


def build(
    method: Method, inputs: Inputs, context: Context, *, epochs: int | None = None, batch_size: int = 0
) -> PerturbationPredictor:
    """Make a predictor that has not learned yet.

    Parameters
    ----------
    epochs, batch_size
        Of a network's training, where they are not those of the request and of the authors.

    Raises
    ------
    RequestError
        If the method needs gene annotations and none are chosen.
    UnsupportedTaskError
        If the weights are those of a model that cannot do this.
    """
    if method.name in PLAIN:
        return PLAIN[method.name]()
    if method.name in ON_VECTORS:
        return ON_VECTORS[method.name](_vectors(method, inputs, context))
    if method.name == "linear_terms":
        return Linear(perturbation_vectors=_of_terms(inputs))
    request = inputs.request
    given = PerturbationInputs(
        terms=inputs.terms,
        also={gene for one in inputs.wanted for gene in one},
        epochs=request.epochs if epochs is None else epochs,
        batch_size=batch_size,
        seed=request.seed,
    )
    if method.name == "gears":
        return Gears(replace(GearsSettings(), **given.training), terms=given.terms, also=given.also)
    return context.model(method.checkpoint, "perturbation").perturbation_predictor(given)


PLAIN: Mapping[str, Callable[[], PerturbationPredictor]] = {
    "no_change": NoChange,
    "train_mean": TrainMean,
    "additive": Additive,
    "matching_mean": MatchingMean,
    "linear": Linear,
}
ON_VECTORS: Mapping[str, Callable[[GeneVectors], PerturbationPredictor]] = {
    "linear_genes": lambda vectors: Linear(gene_vectors=vectors),
    "linear_perturbations": lambda vectors: Linear(perturbation_vectors=vectors),
    "ridge": Ridge,
    "neighbors": Neighbors,
}


def _of_terms(inputs: Inputs) -> GeneVectors:
    if inputs.terms is None:
        raise RequestError(
            "The linear model on gene annotations needs them, and none were chosen.",
            hint="Choose some, add them on the Data page, or leave the method out.",
        )
    return term_vectors(inputs.terms)


def _vectors(method: Method, inputs: Inputs, context: Context) -> GeneVectors:
    """Return what a model knows of the genes of the screen and of every perturbed gene."""
    model = context.model(method.checkpoint, "perturbation")
    ids = gene_identifiers(context.workspace.dataset_folder(inputs.request.dataset))
    found = dict(zip(ids.names, model.vocab.match(ids).tolist(), strict=True))
    perturbed = {gene for one in (*inputs.screen.perturbed, *inputs.wanted) for gene in one}
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
