"""Predict a pair of genes from what each of them does alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation, Screen, label
from scviz.foundation.perturbing import NOT_SEEN_ALONE, lacking
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.train_mean import check_perturbed, perturbed_cell_mean
from scviz.progress import Report, silent


class Additive(PerturbationPredictor):
    r"""The changes that the genes make alone, added to control: :math:`b + \sum_g (m_g - b)`.

    With m the mean expression after a perturbation and b that of control. A perturbation of one gene is
    predicted only if it was seen itself.
    """

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Keep the change that each gene makes alone; nothing is chosen, so validation perturbations count too."""
        self.control = train.control  # (G,)
        self.changes = {
            one[0]: cells.mean(one) - self.control
            for cells in (train, validation)
            if cells is not None
            for one in cells.perturbed
            if len(one) == 1
        }

    def reason_against(self, perturbation: Perturbation) -> str:
        """Name the genes that were never perturbed alone in training."""
        return lacking(perturbation, self.changes, NOT_SEEN_ALONE)

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Add up changes, (P, G); NaN where one of them is not known."""
        unknown = np.full(len(self.control), np.nan)
        rows = [
            self.control + sum((self.changes.get(gene, unknown) for gene in one), np.zeros(len(self.control)))
            for one in perturbations
        ]
        return np.array(rows).reshape(-1, len(self.control))


class MatchingMean(PerturbationPredictor):
    """The mean of what the genes do alone; the mean of all perturbed cells stands in for a gene never seen alone.

    References
    ----------
    Viñas Torné et al. (2025), doi:10.1038/s41587-025-02777-8.
    """

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Keep the mean after each perturbation of one gene, and that of all perturbed cells."""
        check_perturbed(train)
        self.alone = {label(one): train.mean(one) for one in train.perturbed if len(one) == 1}
        self.control = train.control  # (G,)
        self.otherwise = perturbed_cell_mean(train)  # (G,)

    def reason_against(self, perturbation: Perturbation) -> str:
        """Return an empty text: a mean stands in for what was not seen."""
        return ""

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Average the means of the genes, (P, G)."""
        rows = [
            np.mean([self.alone.get(gene, self.otherwise) for gene in one], axis=0) if one else self.control
            for one in perturbations
        ]
        return np.array(rows).reshape(-1, len(self.control))
