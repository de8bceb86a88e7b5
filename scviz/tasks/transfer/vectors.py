"""Cell vectors of models, for reference and dataset alike; what an earlier try has read is not read again."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.errors import GeneMatchError
from scviz.foundation.batching import Walk, pick_device
from scviz.foundation.chunks import embed_cells
from scviz.tasks.context import Context
from scviz.workspace.chunks import Chunks


def vectors_of(adata: AnnData, checkpoint: str, context: Context, *, of: str) -> NDArray[np.float32]:
    """Embed cells, (N, C); NaN for cells in which the model sees no gene.

    Parameters
    ----------
    of
        What the cells are called, as word of a file name and in progress.

    Raises
    ------
    GeneMatchError
        If the model knows none of the genes.
    """
    name = context.workspace.checkpoint(checkpoint).name
    model = context.model(checkpoint, "embedding").to(pick_device(context.device))
    chunks = Chunks.at(context.state / f"{checkpoint.replace('/', '-')}-{of}")
    chunks.clear_up()
    walk = Walk(model, adata, report=context.report, stage=f"Reading the {of} with {name}")
    found = embed_cells(walk, chunks)
    if not found.shape[1] or not np.isfinite(found).all(axis=1).any():
        raise GeneMatchError(
            f"{name} knows no gene that was seen in the cells of the {of}.", hint="Choose another model."
        )
    return found
