"""Known ground: cells down-sampled to a tenth of their reads, and plain methods that denoise them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.expression import log_expression, principal_components, variable_genes
from scviz.datasets.neighbors import nearest
from scviz.errors import RequestError
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import counted

KEPT = 0.1
"""Share of the reads that down-sampling leaves."""

BACK = "a1"
"""Ten times the reads of a down-sampled cell: what it had."""

N_NEIGHBORS = 15
FEWEST_CELLS = 5

SAMPLED = "the down-sampled cells as they are"
SMOOTHED = f"mean with {N_NEIGHBORS} neighbors"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownSampled:
    """Cells of which a tenth of the reads is left, and some of them to be checked."""

    adata: AnnData
    """(N, G) down-sampled counts of all cells, of the genes that the model knows."""
    rows: NDArray[np.int64]
    """(M,) cells to be checked, rising."""


def thin(counts: csr_matrix, rng: np.random.Generator) -> csr_matrix:
    """Keep each read with a chance of KEPT, (N, G).

    Examples
    --------
    >>> thin(csr_matrix([[1000.0, 0.0]]), np.random.default_rng(0)).toarray().tolist()
    [[92.0, 0.0]]
    """
    kept = rng.binomial(np.rint(counts.data).astype(np.int64), KEPT).astype(np.float32)
    sampled = csr_matrix((kept, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
    sampled.eliminate_zeros()
    return sampled


def down_sample(adata: AnnData, model: FoundationModel, *, n_cells: int, seed: int) -> DownSampled:
    """Down-sample all cells, and choose some of those that the model still reads.

    Raises
    ------
    RequestError
        If there are too few of them.
    """
    rng = np.random.default_rng(seed)
    sampled = AnnData(thin(adata.X, rng), obs=adata.obs[[]], var=adata.var)
    readable = np.flatnonzero(model.at_depth(BACK).n_tokens(sampled) > 0)
    if len(readable) < FEWEST_CELLS:
        raise RequestError(
            f"A tenth of the reads leaves {counted(len(readable), 'cell')} that the model can read, too few for "
            "a check.",
            hint="Choose a dataset with more reads in each cell.",
        )
    rows = np.sort(rng.choice(readable, min(n_cells, len(readable)), replace=False))
    return DownSampled(adata=sampled, rows=rows)


def plain_methods(sampled: DownSampled, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Give log1p expression of the chosen cells, (M, G), by methods that need no model.

    Neighbors are sought among all down-sampled cells, by principal components.
    """
    expression = log_expression(sampled.adata.X)
    vectors = principal_components(expression, genes=variable_genes(expression), seed=seed)
    found, _ = nearest(vectors, min(N_NEIGHBORS + 1, len(vectors)), seed=seed)
    found = found[sampled.rows]  # (M, k + 1), the cell itself among them
    shares = csr_matrix(
        (
            np.full(found.size, 1 / found.shape[1], dtype=np.float32),
            found.ravel(),
            np.arange(0, found.size + 1, found.shape[1]),
        ),
        shape=(len(found), len(vectors)),
    )
    return {
        SAMPLED: expression[sampled.rows].toarray(),
        SMOOTHED: (shares @ expression).toarray(),
    }
