"""Vectors of genes: from the weights of a model, from cells that a model reads, or from plain expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.gene_vectors import context_vectors
from scviz.foundation.model import FoundationModel
from scviz.networks.similarity import unit_vectors
from scviz.tasks.context import Context
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, Request
from scviz.tasks.modules.inputs import Inputs
from scviz.workspace.chunks import Chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Vectors of the G genes, (G, D), and how they are compared."""

    values: NDArray[np.floating]
    centered: bool

    @property
    def unit(self) -> NDArray[np.float64]:
        """(G, D) vectors of length 1, whose products are cosines."""
        return unit_vectors(self.values, centered=self.centered)


def every_vectors(request: Request, inputs: Inputs, context: Context) -> tuple[Inputs, dict[str, Vectors]]:
    """Make the vectors asked for, by method, and those that stand beside, of genes that the model saw.

    Returns
    -------
    The inputs without other genes, and the vectors: first those of the source asked for.
    """
    if inputs.model is None:
        return inputs, {EXPRESSION: Vectors(values=expression_vectors(inputs), centered=False)}
    known = _of_model(request, inputs, inputs.model, context=context, name="trained")
    untrained = inputs.model.newly_initialized(request.seed).to(inputs.model.device)
    random = _of_model(request, inputs, untrained, context=context, name="random")
    seen = np.asarray(np.isfinite(known + random).all(axis=1))
    inputs = inputs.keep(seen)
    return inputs, {
        request.source: Vectors(values=known[seen], centered=request.centered),
        EXPRESSION: Vectors(values=expression_vectors(inputs), centered=False),
        RANDOM_WEIGHTS: Vectors(values=random[seen], centered=request.centered),
    }


def expression_vectors(inputs: Inputs) -> NDArray[np.float64]:
    """Give the expression of genes in the cells to find modules in, (G, n); a cosine of two is their correlation."""
    values = inputs.values(inputs.found_in).T.astype(np.float64)
    return unit_vectors(values - values.mean(axis=1, keepdims=True), centered=False)


def _of_model(
    request: Request, inputs: Inputs, model: FoundationModel, *, context: Context, name: str
) -> NDArray[np.float32]:
    if request.source == "static":
        return model.gene_embeddings()[inputs.in_vocab]
    rows = np.sort(np.random.default_rng(request.seed).permutation(inputs.found_in)[: request.context_cells])
    return context_vectors(
        model,
        inputs.adata[rows],
        genes=[model.vocab.genes[i] for i in inputs.in_vocab],
        columns=inputs.columns,
        chunks=Chunks.at(context.state / name),
        report=context.report,
        stage="Reading genes in cells" + (", random weights" if name == "random" else ""),
    )
