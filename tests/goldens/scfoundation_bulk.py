"""Samples of many cells as the authors of scFoundation prepare them; nothing here reads such samples."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from scviz.models.scfoundation.tokenizer import Profiles


def bulk_profiles(counts: sparse.csr_matrix) -> Profiles:
    """Normalize to log1p at the median total, (N, G); T and S are log10 of the sum of that."""
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    factors = np.median(totals[totals > 0]) / np.where(totals > 0, totals, 1.0)
    values = sparse.csr_matrix(sparse.diags(factors) @ counts).log1p()
    sums = np.asarray(values.sum(axis=1), dtype=np.float64).ravel()
    depth = np.log10(np.where(sums > 0, sums, 1.0))
    return Profiles(values, depth, depth)


def bulk_profiles_of_logs(values: sparse.csr_matrix) -> Profiles:
    """Take log1p values as they are, (N, G); T and S are their sum, as the authors have it."""
    depth = np.asarray(values.sum(axis=1), dtype=np.float64).ravel()
    return Profiles(values, depth, depth)
