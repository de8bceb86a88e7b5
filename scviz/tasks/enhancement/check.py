"""Known ground: thin cells to a tenth, restore them, and compare with the cells as they were."""

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
from scviz.metrics.clustering import silhouette

KEPT = 0.1
"""Share of the reads that thinning leaves."""

BACK = "a1"
"""Ten times the reads of a thinned cell: what it had."""

N_NEIGHBORS = 15
FEWEST_CELLS = 5

THINNED = "the thinned cells as they are"
SMOOTHED = f"mean with {N_NEIGHBORS} neighbors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """Cells of which a tenth of the reads is left, and some of them to be checked."""

    adata: AnnData
    """(N, G) thinned counts of all cells, of the genes that the model knows."""
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
    thinned = csr_matrix((kept, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
    thinned.eliminate_zeros()
    return thinned


def thin_and_choose(adata: AnnData, model: FoundationModel, *, n_cells: int, seed: int) -> Thinned:
    """Thin all cells, and choose some of those that the model still reads.

    Raises
    ------
    RequestError
        If there are too few of them.
    """
    rng = np.random.default_rng(seed)
    thinned = AnnData(thin(adata.X, rng), obs=adata.obs[[]], var=adata.var)
    readable = np.flatnonzero(model.at_depth(BACK).n_tokens(thinned) > 0)
    if len(readable) < FEWEST_CELLS:
        raise RequestError(
            f"A tenth of the reads leaves {len(readable)} cells that the model can read, too few for a check.",
            hint="Choose a dataset with more reads in each cell.",
        )
    rows = np.sort(rng.choice(readable, min(n_cells, len(readable)), replace=False))
    return Thinned(adata=thinned, rows=rows)


def plain_methods(thinned: Thinned, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Give log1p expression of the chosen cells, (M, G), by methods that need no model.

    Neighbors are sought among all thinned cells, by principal components.
    """
    expression = log_expression(thinned.adata.X)
    vectors = principal_components(expression, genes=variable_genes(expression), seed=seed)
    found, _ = nearest(vectors, min(N_NEIGHBORS + 1, len(vectors)), seed=seed)
    found = found[thinned.rows]  # (M, k + 1), the cell itself among them
    shares = csr_matrix(
        (
            np.full(found.size, 1 / found.shape[1], dtype=np.float32),
            found.ravel(),
            np.arange(0, found.size + 1, found.shape[1]),
        ),
        shape=(len(found), len(vectors)),
    )
    return {
        THINNED: expression[thinned.rows].toarray(),
        SMOOTHED: (shares @ expression).toarray(),
    }


def type_silhouette(expression: NDArray[np.float32], types: NDArray[np.int64], *, seed: int) -> float:
    """Say how far known types stand apart among principal components, -1 to 1.

    Parameters
    ----------
    expression
        (M, G) log1p expression.
    types
        (M,) -1 for cells without a type, which are left out.
    """
    known = types >= 0
    if known.sum() < FEWEST_CELLS:
        return float("nan")
    vectors = principal_components(csr_matrix(expression[known]), seed=seed)
    return silhouette(vectors, types[known], seed=seed)
