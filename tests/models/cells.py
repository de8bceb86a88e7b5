"""Small made data: 60 cells x 200 genes of three planted types."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

N_CELLS, N_GENES, N_TYPES = 60, 200, 3


def planted_cells(seed: int = 0) -> AnnData:
    """Return raw counts; each type expresses twenty genes of its own."""
    rng = np.random.default_rng(seed)
    types = np.arange(N_CELLS) % N_TYPES
    rates = rng.gamma(0.5, 0.6, size=(1, N_GENES)).repeat(N_CELLS, axis=0)
    for kind in range(N_TYPES):
        rates[types == kind, 20 * kind : 20 * (kind + 1)] += 3.0
    counts = rng.poisson(rates * rng.uniform(0.3, 1.5, size=(N_CELLS, 1))).astype(np.float32)
    counts[:, 0] += 1  # no cell is empty
    ensembl = [f"ENSG{i:011d}" for i in range(N_GENES)]
    return AnnData(
        sparse.csr_matrix(counts),
        obs=pd.DataFrame(
            {"cell_type": [f"type {kind}" for kind in types]}, index=[f"c{i}" for i in range(N_CELLS)]
        ),
        var=pd.DataFrame({"gene_ids": ensembl}, index=[f"GENE{i}" for i in range(N_GENES)]),
    )
