"""Which cells, genes and labels a run of denoising reads, and with which model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.datasets.genes import identifiers
from scviz.datasets.labels import Labels
from scviz.errors import GeneMatchError
from scviz.foundation.batching import pick_device
from scviz.foundation.model import FoundationModel
from scviz.tasks.context import Context
from scviz.tasks.enhancement import Request
from scviz.tasks.known_types import types_of

SCALE = (
    "Expression here is log1p of 10,000 counts a cell over the genes that the model knows, as the model reads and "
    "predicts it; on other pages these cells are scaled otherwise."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The cells and the model that denoises them."""

    adata: AnnData
    """(N, K) raw counts of the genes that the model knows."""
    model: FoundationModel
    known: NDArray[np.bool_]
    """(G,) which genes of the dataset these are."""
    places: NDArray[np.int64]
    """(K,) where they stand in the vocabulary."""
    types: Labels
    """Known types of the N cells; no labels where no column was named."""
    notes: tuple[str, ...]
    """Cells without a type, and the scale of expression where it is another one than elsewhere."""


def gather(request: Request, context: Context) -> Inputs:
    """Read cells and model, and keep the genes that both know.

    Raises
    ------
    GeneMatchError
        If there is none.
    UnsupportedTaskError
        If the model cannot denoise expression.
    MissingColumnError
        If there is no column of that name.
    """
    adata, model = context.counts(request.dataset), context.model(request.checkpoint, "enhancement")
    model.at_depth(request.read_depth)  # refused here, before anything is computed
    model.to(pick_device(context.device))
    types = types_of(context.workspace, request.dataset, request.label_key)
    found = model.vocab.match(identifiers(adata.var))
    known = found >= 0
    if not known.any():
        raise GeneMatchError(
            f"The model knows none of the {adata.n_vars:,} genes of the dataset.",
            hint="Choose another checkpoint, or look at the names of the genes on the Data page.",
        )
    return Inputs(
        adata=adata[:, known].copy(),
        model=model,
        known=known,
        places=found[known],
        types=types,
        notes=(*types.notes, *((SCALE,) if depth_of(adata).notes else ())),
    )
