"""What cells say of a model: the loss of its own objective, and whether cells of one type lie together."""

from __future__ import annotations

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.neighbors import nearest
from scviz.foundation.model import FoundationModel
from scviz.metrics.neighbors import neighbor_agreement, without_rare

N_NEIGHBORS = 15


def some(cells: AnnData, n: int, *, seed: int = 0) -> AnnData:
    """Draw n cells at random, all where there are fewer."""
    return cells[np.random.default_rng(seed).permutation(cells.n_obs)[:n]].copy()


def cell_losses(model: FoundationModel, cells: AnnData, *, seed: int = 0) -> NDArray[np.float64]:
    """Give the model's own loss of each cell, (N,); what is hidden of a cell is the same in every call."""
    found = np.empty(cells.n_obs)
    with torch.no_grad():
        for row in range(cells.n_obs):
            generator = torch.Generator().manual_seed(seed + row)
            found[row] = float(model.pretraining_loss(model.tokenize(cells[row : row + 1]), generator))
    return found


def types_of(cells: AnnData) -> NDArray[np.int64]:
    """Give the type of each cell, (N,); -1 where it has none, or too few cells have it."""
    names = cells.obs["cell_type"].to_numpy(str)
    return without_rare(np.where(names == "", -1, np.unique(names, return_inverse=True)[1]))


def neighbors_of(vectors: NDArray[np.floating], *, seed: int = 0) -> NDArray[np.int32]:
    """Find the nearest other cells, (N, C) to (N, k)."""
    return nearest(vectors.astype(np.float32), N_NEIGHBORS + 1, seed=seed)[0][:, 1:]


def agreement(model: FoundationModel, cells: AnnData) -> float:
    """Give the macro-F1 of cells named by their neighbors, by the vectors of the model."""
    return neighbor_agreement(neighbors_of(model.embed(cells)), types_of(cells))
