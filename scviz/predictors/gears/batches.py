"""What GEARS learns from and is judged by: pairs of cells, expressed genes, the most changed genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.predictors.gears.network import NOBODY

N_JUDGED = 20
"""Most changed genes of a validation perturbation that tell how good the network is."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Each cell with a control cell drawn at random, which the network is to change into it."""

    screen: Screen
    partner: NDArray[np.int64]
    """(N,) a control cell for each cell; control cells are their own."""
    perturbed: NDArray[np.int64]
    """(P, K) numbers of the genes of each perturbation, NOBODY in places left over."""
    expressed: NDArray[np.bool_]
    """(P, G) genes whose mean is not 0; all in control."""

    @classmethod
    def of(cls, screen: Screen, numbers: Mapping[str, int], rng: np.random.Generator) -> Self:
        """Pair cells.

        Parameters
        ----------
        numbers
            The number of each gene that can be perturbed.
        """
        controls = screen.rows(CONTROL)
        is_control = screen.codes == screen.index[CONTROL]
        drawn = rng.choice(controls, len(screen.codes))
        expressed = screen.means(screen.perturbations) != 0
        expressed[screen.index[CONTROL]] = True
        return cls(
            screen,
            np.where(is_control, np.arange(len(drawn)), drawn),
            numbered(screen.perturbations, numbers),
            expressed,
        )


def numbered(perturbations: Sequence[Perturbation], numbers: Mapping[str, int]) -> NDArray[np.int64]:
    """Turn symbols into numbers, (P, K); NOBODY in places left over.

    Examples
    --------
    >>> numbered([("A", "B"), (), ("B",)], {"A": 0, "B": 1}).tolist()
    [[0, 1], [-1, -1], [1, -1]]
    """
    most = max([1, *(len(one) for one in perturbations)])
    found = np.full((len(perturbations), most), NOBODY, dtype=np.int64)
    for row, perturbation in enumerate(perturbations):
        found[row, : len(perturbation)] = [numbers[gene] for gene in perturbation]
    return found


def dense(cells: sp.csr_matrix, rows: NDArray[np.int64], device: torch.device) -> Tensor:
    """Return the expression of some cells, (B, G)."""
    return torch.as_tensor(cells[rows].toarray(), dtype=torch.float32, device=device)


def most_changed(cells: sp.csr_matrix, controls: sp.csr_matrix, n: int = N_JUDGED) -> NDArray[np.int64]:
    """Find the genes, (n,), of cells (N, G) with the largest absolute t of Welch against control, the largest first.

    A gene that is equal in all cells of both has t 0; of equals those that come first.
    """
    mean, variance = _mean_and_variance(cells)
    other_mean, other_variance = _mean_and_variance(controls)
    error = np.sqrt(variance / cells.shape[0] + other_variance / controls.shape[0])
    t = np.divide(mean - other_mean, error, out=np.zeros_like(mean), where=error > 0)
    return np.argsort(-np.abs(t), kind="stable")[:n]


def _mean_and_variance(cells: sp.csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and variance of each gene, (G,); the variance of one cell counts as 0."""
    n_cells = cells.shape[0]
    values = cells.astype(np.float64)
    mean = np.asarray(values.mean(axis=0)).ravel()
    squares = np.asarray(values.multiply(values).mean(axis=0)).ravel()
    return mean, np.maximum(squares - mean**2, 0) * n_cells / max(n_cells - 1, 1)
