"""Raw counts as the tokenizers read them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from scviz.errors import CountsError

Counts: TypeAlias = NDArray[np.number] | sparse.sparray | sparse.spmatrix


def raw_counts(counts: Counts, dtype: DTypeLike | None = None) -> sparse.csr_matrix:
    """Give counts, sparse or dense, as a CSR matrix, (N, G).

    Raises
    ------
    CountsError
        If a value is negative or missing.
    """
    matrix = sparse.csr_matrix(counts, dtype=dtype)
    if len(matrix.data) and not (matrix.data.min() >= 0 and np.isfinite(matrix.data.max())):
        raise CountsError(
            "The matrix holds negative or missing values, so these are not raw counts.",
            hint="Choose the layer with raw counts.",
        )
    return matrix
