"""The learning rate of the authors of scBERT, by which their fine-tuning is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

import numpy as np
from numpy.typing import NDArray


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
