"""Predict that every perturbation does what perturbations do on average."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import RequestError
from scviz.foundation.predictor import PerturbationPredictor
from scviz.progress import Report, silent


class TrainMean(PerturbationPredictor):
    """The mean over the perturbations of training, each of which counts the same; control for control.

    References
    ----------
    Csendes et al. (2025), doi:10.1186/s12864-025-11600-2; Ahlmann-Eltze et al. (2025),
    doi:10.1038/s41592-025-02772-6.
    """

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Average the perturbations."""
        check_perturbed(train)
        self.control = train.control  # (G,)
        self.mean = train.means(train.perturbed).mean(axis=0)  # (G,)

    def reason_against(self, perturbation: Perturbation) -> str:
        """Return an empty text: the mean is always there."""
        return ""

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Return the mean for each perturbation, (P, G)."""
        rows = [self.control if one == CONTROL else self.mean for one in perturbations]
        return np.array(rows).reshape(-1, len(self.mean))


def perturbed_cell_mean(train: Screen) -> NDArray[np.float64]:
    """Return the mean over the perturbed cells, (G,)."""
    n_cells = [len(train.rows(one)) for one in train.perturbed]
    return np.average(train.means(train.perturbed), axis=0, weights=n_cells)


def check_perturbed(train: Screen) -> None:
    """Refuse a screen from which no perturbation can be learned.

    Raises
    ------
    RequestError
        If there are no control cells or no perturbed ones.
    """
    if CONTROL not in train.index or not train.perturbed:
        missing = "perturbed cells" if CONTROL in train.index else "control cells"
        raise RequestError(
            f"There are no {missing} to learn from.",
            hint="Choose another column, tell which of its values is control, or hold out fewer perturbations.",
        )
