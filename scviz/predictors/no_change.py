"""Predict that a perturbation changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation, Screen
from scviz.foundation.predictor import PerturbationPredictor
from scviz.progress import Report, silent


class NoChange(PerturbationPredictor):
    """The mean of the control cells, whatever is perturbed."""

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Keep the mean of the control cells."""
        self.control = train.control  # (G,)

    def reason_against(self, perturbation: Perturbation) -> str:
        """Return an empty text: nothing is always predicted."""
        return ""

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Return the same mean for each perturbation, (P, G)."""
        return np.tile(self.control, (len(perturbations), 1))
