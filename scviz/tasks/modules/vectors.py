"""Vectors of genes: from the weights of a model, from cells that a model reads, or from plain expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.chunks import Chunks
from scviz.foundation.model import FoundationModel
from scviz.networks.similarity import unit_vectors
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, Request
from scviz.tasks.modules.inputs import Inputs

CELLS_PER_CHUNK = 16
"""Cells that a resumed run may have to read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Vectors of the G genes, (G, D), and how they are compared."""

    values: NDArray[np.floating]
    centered: bool

    @property
    def unit(self) -> NDArray[np.float64]:
        """Vectors of length 1, whose products are cosines."""
        return unit_vectors(self.values, centered=self.centered)


def every_vectors(request: Request, inputs: Inputs, context: Context) -> tuple[Inputs, dict[str, Vectors]]:
    """Make the vectors asked for, by method, and those that stand beside, of genes that the model saw.

    Returns
    -------
    The inputs without other genes, and the vectors: first those of the source asked for.
    """
    if inputs.model is None:
        return inputs, {EXPRESSION: Vectors(values=expression_vectors(inputs), centered=False)}
    known = _of_model(request, inputs, inputs.model, context, "trained")
    untrained = inputs.model.newly_initialized(request.seed).to(inputs.model.device)
    random = _of_model(request, inputs, untrained, context, "random")
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
    request: Request, inputs: Inputs, model: FoundationModel, context: Context, name: str
) -> NDArray[np.float32]:
    if request.source == "static":
        return model.gene_embeddings()[inputs.in_vocab]
    rows = np.sort(np.random.default_rng(request.seed).permutation(inputs.found_in)[: request.context_cells])
    return context_vectors(inputs, model, rows, context, name)


def context_vectors(
    inputs: Inputs, model: FoundationModel, rows: NDArray[np.int64], context: Context, name: str
) -> NDArray[np.float32]:
    """Average the vectors of genes over cells, (G, D); NaN for genes that the model saw in none.

    Chunks of cells that an earlier try has read are not read again. Each chunk counts as much as it has cells that
    express the gene.
    """
    folder = context.state / name
    folder.mkdir(exist_ok=True)
    chunks = Chunks(folder)
    names = [model.vocab.genes[i] for i in inputs.in_vocab]
    stage = "Reading genes in cells" + (", random weights" if name == "random" else "")
    total, weight = np.zeros((len(names), 0)), np.zeros((len(names), 1))
    for number, start in enumerate(range(0, len(rows), CELLS_PER_CHUNK)):
        context.report(Progress(stage=stage, done=start, total=len(rows)))
        cells = inputs.adata[rows[start : start + CELLS_PER_CHUNK]]
        means = chunks.read(number)
        if means is None:
            means = model.context_gene_embeddings(cells, names)
            chunks.write(number, means)
        n_cells = np.asarray((cells.X[:, inputs.columns] > 0).sum(axis=0)).reshape(-1, 1)
        n_cells = np.where(np.isfinite(means).all(axis=1, keepdims=True), n_cells, 0)
        total = (total if total.shape[1] else np.zeros(means.shape)) + np.nan_to_num(means) * n_cells
        weight += n_cells
    means = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(total, weight, out=means, where=weight > 0, casting="same_kind")
    return means
