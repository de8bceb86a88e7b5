"""The authors' recipe for cell types: what is trained, how fast, how types are weighed, what stays unnamed."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

from scviz.models.scbert.network import Network

THRESHOLD = 0.5
"""Probability of its best type below which a cell may be of a new one."""

CELLS_PER_UPDATE = 180
"""60 batches of 3 cells; with fewer training cells, the authors' code never updates a weight."""


def freeze_as_published(network: Network) -> None:
    """Train only the last LayerNorm and the second to last layer, not the last; gene and level vectors stay.

    The head of cell types is no part of the network and is trained in any case. New random features are still
    drawn for every layer, frozen or not.
    """
    network.requires_grad_(False)
    network.norm.requires_grad_(True)
    for part in list(network.performer.layers())[-2:][0]:  # of one layer, that one
        part.requires_grad_(True)


def class_weights(types: NDArray[np.integer], n_types: int) -> NDArray[np.float32]:
    """Weigh each type in the loss by (1 - its share of the cells) squared, so that rare types count more.

    The authors compute these weights and never use them: their loss counts every cell alike, and rare types
    are learned late or not at all.

    Parameters
    ----------
    types
        (N,) type of each training cell.

    Returns
    -------
    (n_types,) weights with a mean of 1 over the cells; 1 for all where there is only one type.

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 2).round(2)
    array([0.33, 3.  ], dtype=float32)
    """
    share = np.bincount(types, minlength=n_types) / max(len(types), 1)
    weights = (1 - share) ** 2
    mean = (share * weights).sum()
    return np.asarray(weights / mean if mean > 0 else np.ones(n_types), dtype=np.float32)


def unassigned(probabilities: NDArray[np.floating], threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """Tell which cells, (N,), resemble no type well enough and may be of a new one.

    Parameters
    ----------
    probabilities
        (N, K) of each type.
    threshold
        Least probability of the best type; 0 names every cell.
    """
    return np.asarray(probabilities.max(axis=1) < threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A learning rate that rises, falls along a cosine, and starts again, each time longer and lower."""

    first_cycle: int = 15
    """Epochs of the first cycle."""
    cycle_factor: float = 2.0
    """How much longer each next cycle falls."""
    highest: float = 1e-4
    lowest: float = 1e-6
    warmup: int = 5
    """Epochs in which the rate rises, in every cycle."""
    decay: float = 0.9
    """Each next cycle's highest rate, in parts of the one before."""

    def rates(self, epochs: int) -> NDArray[np.float64]:
        """Return the learning rate of each epoch, (epochs,).

        Examples
        --------
        >>> Schedule().rates(6)
        array([1.00e-06, 2.08e-05, 4.06e-05, 6.04e-05, 8.02e-05, 1.00e-04])
        """
        rates: list[float] = []
        length, highest = self.first_cycle, self.highest
        while len(rates) < epochs:
            rates += [self._rate(step, length, highest) for step in range(length)]
            length = int((length - self.warmup) * self.cycle_factor) + self.warmup
            highest *= self.decay
        return np.array(rates[:epochs])

    def _rate(self, step: int, length: int, highest: float) -> float:
        """Return the rate of one epoch of a cycle."""
        if step < self.warmup:
            return self.lowest + (highest - self.lowest) * step / self.warmup
        fallen = (step - self.warmup) / (length - self.warmup)
        return self.lowest + (highest - self.lowest) * (1 + cos(pi * fallen)) / 2
