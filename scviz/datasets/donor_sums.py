"""Counts summed over the cells of each donor."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.columns import COUNTS
from scviz.datasets.layers import read_blocks

CELLS_AT_A_TIME = 4_096


def donor_sums(folder: Path, samples: NDArray[np.integer], n_samples: int) -> NDArray[np.int64]:
    """Sum the counts of the cells of each sample.

    Parameters
    ----------
    folder
        Folder of the dataset.
    samples
        (N,) sample of each cell; -1 for cells that are left out.
    n_samples
        How many samples there are, S.

    Returns
    -------
    (S, G) counts.
    """
    sums: NDArray[np.float64] | None = None
    with h5py.File(folder / COUNTS, "r") as file:
        start = 0
        for block in read_blocks(file["X"], CELLS_AT_A_TIME):
            codes = samples[start : start + block.shape[0]]
            start += block.shape[0]
            rows = np.flatnonzero(codes >= 0)
            places = (codes[rows], rows)
            members = csr_matrix((np.ones(len(rows)), places), shape=(n_samples, block.shape[0]))
            part = (members @ block.astype(np.float64)).toarray()
            sums = part if sums is None else sums + part
    return np.rint(np.zeros((n_samples, 0)) if sums is None else sums).astype(np.int64)
