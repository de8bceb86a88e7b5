"""Predict the change that a perturbation makes from what another source knows of the perturbed genes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import RequestError
from scviz.foundation.perturbing import lacking
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.train_mean import check_perturbed
from scviz.predictors.vectors import GeneVectors
from scviz.progress import Report, silent

STRENGTHS = np.logspace(-4, 4, 17)
"""Ridge strengths that are tried, in units of the mean square of the vectors' components."""
NEIGHBORS = (1, 3, 5, 10, 20)
"""Numbers of neighbors that are tried."""


class OnVectors(PerturbationPredictor):
    """A regression from the vector of the perturbed gene, or the sum for genes perturbed together."""

    def __init__(self, vectors: GeneVectors) -> None:
        self.vectors = vectors
        self.known = frozenset(vectors.genes)

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Learn from the perturbations whose genes all have a vector.

        Raises
        ------
        RequestError
            If there are fewer than two of them.
        """
        check_perturbed(train)
        self.control = train.control  # (G,)
        usable = [one for one in train.perturbed if not self.reason_against(one)]
        if len(usable) < 2:
            raise RequestError(
                f"{self.vectors.source} has vectors for {len(usable)} of the {len(train.perturbed)} perturbations "
                "to learn from; two are needed.",
                hint="Choose another source of gene vectors, or look at the names of the perturbed genes.",
            )
        self.learn(self._inputs(usable), train.means(usable) - self.control)

    @abstractmethod
    def learn(self, inputs: NDArray[np.float64], changes: NDArray[np.float64]) -> None:
        """Learn changes of expression, (P, G), from vectors, (P, D)."""

    @abstractmethod
    def changes(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict changes, (P, G), from vectors, (P, D)."""

    def reason_against(self, perturbation: Perturbation) -> str:
        """Name the genes that have no vector."""
        return lacking(perturbation, self.known, self.vectors.lack)

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Add the predicted change to control, (P, G); NaN where a gene has no vector."""
        predicted = np.full((len(perturbations), len(self.control)), np.nan)
        for row, one in enumerate(perturbations):
            if one == CONTROL:
                predicted[row] = self.control
            elif not self.reason_against(one):
                predicted[row] = self.control + self.changes(self._inputs([one]))[0]
        return predicted

    def _inputs(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        return np.array([self.vectors.of(one).sum(axis=0) for one in perturbations])  # (P, D)


class Ridge(OnVectors):
    """Ridge regression; its strength has the smallest error when each perturbation is left out in turn."""

    def learn(self, inputs: NDArray[np.float64], changes: NDArray[np.float64]) -> None:
        """Choose the strength, and solve for the weights in closed form, from (P, D) vectors and (P, G) changes."""
        self.center, self.mean = inputs.mean(axis=0), changes.mean(axis=0)
        left, scale, right = np.linalg.svd(inputs - self.center, full_matrices=False)
        centered = changes - self.mean
        strengths = STRENGTHS * max(float(np.mean(scale**2)), np.finfo(float).tiny)
        errors = [left_out_error(left, scale, centered, strength=one) for one in strengths]
        self.strength = float(strengths[int(np.argmin(errors))])
        shrunk = scale / (scale**2 + self.strength)
        self.weights = right.T @ (shrunk[:, None] * (left.T @ centered))  # (D, G)

    def changes(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiply (P, D) vectors with the weights, (P, G)."""
        predicted: NDArray[np.float64] = (inputs - self.center) @ self.weights + self.mean
        return predicted


def left_out_error(
    left: NDArray[np.float64], scale: NDArray[np.float64], changes: NDArray[np.float64], *, strength: float
) -> float:
    r"""Give the sum of squared errors on perturbations that are left out one at a time.

    In closed form: the error of a fit with all of them, divided by :math:`1 - h_{ii}`, where H is the matrix that
    turns observed changes into fitted ones, intercept included.

    Parameters
    ----------
    left, scale
        (P, R) left singular vectors and (R,) singular values of the centered vectors.
    changes
        (P, G) centered changes.
    """
    share = scale**2 / (scale**2 + strength)
    fitted = left @ (share[:, None] * (left.T @ changes))
    leverage = 1 / len(left) + (left**2 * share).sum(axis=1)
    return float((((changes - fitted) / np.maximum(1 - leverage, 1e-9)[:, None]) ** 2).sum())


class Neighbors(OnVectors):
    """The mean change of the perturbations with the most similar vectors, by cosine.

    How many has the smallest error when each perturbation is left out in turn.
    """

    def learn(self, inputs: NDArray[np.float64], changes: NDArray[np.float64]) -> None:
        """Keep all perturbations, (P, D) vectors and (P, G) changes, and choose the number of neighbors."""
        self.inputs, self.observed = unit(inputs), changes
        similar = self.inputs @ self.inputs.T
        np.fill_diagonal(similar, -np.inf)
        order = np.argsort(-similar, axis=1, kind="stable")[:, :-1]  # (P, P - 1), the nearest first
        tried = [k for k in NEIGHBORS if k < len(changes)]
        errors = [float(((changes[order[:, :k]].mean(axis=1) - changes) ** 2).sum()) for k in tried]
        self.n_neighbors = tried[int(np.argmin(errors))]

    def changes(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average the changes of the neighbors, (P, G)."""
        order = np.argsort(-(unit(inputs) @ self.inputs.T), axis=1, kind="stable")
        averages: NDArray[np.float64] = self.observed[order[:, : self.n_neighbors]].mean(axis=1)
        return averages


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring vectors to length 1, (P, D); zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled
