r"""The linear model: expression after a perturbation as a product of three matrices.

The change of gene i after perturbation j is :math:`g_i^T W p_j + c_i`: gene vectors G, perturbation vectors P, and
a small matrix W between them. Without other vectors, both come from the training cells themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Perturbation, Screen, label
from scviz.foundation.perturbing import NOT_MEASURED, lacking
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.train_mean import check_perturbed
from scviz.predictors.vectors import GeneVectors
from scviz.progress import Report, silent

N_COMPONENTS = 10
RIDGE = 0.1


class Linear(PerturbationPredictor):
    """G W p + c + b, with b the mean of control.

    Parameters
    ----------
    gene_vectors
        G; None takes the principal components of the training perturbations. A gene without a vector is
        predicted to change as it does on average.
    perturbation_vectors
        P, by the name of a gene or of genes joined by `+`; None takes the row of the perturbed gene in the
        principal components, so that the gene must be measured.
    n_components
        Width of vectors that come from the training cells.
    gene_ridge, perturbation_ridge
        How strongly W is drawn towards zero on either side.
    pairs
        Predict genes perturbed together from the sum of their vectors, which the article does not do. Pairs
        without a vector of their own are never learned from.

    References
    ----------
    Ahlmann-Eltze et al. (2025), doi:10.1038/s41592-025-02772-6.
    """

    def __init__(
        self,
        gene_vectors: GeneVectors | None = None,
        perturbation_vectors: GeneVectors | None = None,
        *,
        n_components: int = N_COMPONENTS,
        gene_ridge: float = RIDGE,
        perturbation_ridge: float = RIDGE,
        pairs: bool = True,
    ) -> None:
        self.gene_vectors, self.perturbation_vectors = gene_vectors, perturbation_vectors
        self.n_components, self.pairs = n_components, pairs
        self.ridges = gene_ridge, perturbation_ridge

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Solve for W in closed form."""
        check_perturbed(train)
        means = train.means(train.perturbations).T  # (G, P)
        own = principal_scores(means, self.n_components)  # (G, K)
        genes = own if self.gene_vectors is None else np.nan_to_num(self.gene_vectors.of(train.genes))
        self.places = self._places(train, own)
        vectors = np.array([self._own_vector(one) for one in train.perturbations])  # (P, K)
        known = np.isfinite(vectors).all(axis=1)
        changes = (means - train.control[:, None])[:, known]  # (G, P known)
        self.center = changes.mean(axis=1)  # (G,)
        w = bilinear_ridge(changes - self.center[:, None], genes, vectors[known].T, ridges=self.ridges)
        self.effects = genes @ w  # (G, K)
        self.control = train.control

    def _places(self, train: Screen, own: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Give the vector of each name that perturbations may have."""
        if self.perturbation_vectors is None:
            return {gene: own[column] for gene, column in train.column.items()}
        names, rows = self.perturbation_vectors.genes, self.perturbation_vectors.vectors
        return {name: row for name, row in zip(names, rows, strict=True) if np.isfinite(row).all()}

    def _own_vector(self, perturbation: Perturbation) -> NDArray[np.float64]:
        """Give the vector of that name, (K,); zero for control, NaN where there is none."""
        width = len(next(iter(self.places.values()), np.empty(self.n_components)))
        nothing = np.zeros(width) if perturbation == CONTROL else np.full(width, np.nan)
        return self.places.get(label(perturbation), nothing)

    def _vector(self, perturbation: Perturbation) -> NDArray[np.float64]:
        own = self._own_vector(perturbation)
        if len(perturbation) < 2 or not self.pairs or np.isfinite(own).all():
            return own
        total: NDArray[np.float64] = np.sum([self._own_vector((gene,)) for gene in perturbation], axis=0)
        return total

    def reason_against(self, perturbation: Perturbation) -> str:
        """Name the genes that have no vector."""
        if np.isfinite(self._vector(perturbation)).all():
            return ""
        vectors = self.perturbation_vectors
        words = lacking(perturbation, self.places, NOT_MEASURED if vectors is None else vectors.lack)
        return words or f"{label(perturbation)} has no vector of its own in the article's model"

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Multiply, (P, G); NaN where a perturbation has no vector."""
        vectors = np.array([self._vector(one) for one in perturbations]).reshape(-1, self.effects.shape[1])
        predicted: NDArray[np.float64] = vectors @ self.effects.T + self.center + self.control
        return predicted


def principal_scores(means: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """Give the first principal components of genes, (G, K): each column centered, none scaled.

    Parameters
    ----------
    means
        (G, P) mean expression after each perturbation.
    """
    left, strengths, _ = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    scores: NDArray[np.float64] = (left * strengths)[:, :n_components]
    return scores


def bilinear_ridge(
    changes: NDArray[np.float64],
    genes: NDArray[np.float64],
    perturbations: NDArray[np.float64],
    *,
    ridges: tuple[float, float],
) -> NDArray[np.float64]:
    r"""Solve :math:`(G^T G + \lambda_G I)^{-1} G^T Y P^T (P P^T + \lambda_P I)^{-1}`.

    Parameters
    ----------
    changes
        (G, P) Y, centered.
    genes
        (G, D) vectors of genes.
    perturbations
        (K, P) vectors of perturbations.
    ridges
        Of genes and of perturbations.

    Returns
    -------
    (D, K).
    """
    of_genes = genes.T @ genes + ridges[0] * np.eye(genes.shape[1])
    of_perturbations = perturbations @ perturbations.T + ridges[1] * np.eye(len(perturbations))
    left = np.linalg.solve(of_genes, genes.T @ changes @ perturbations.T)  # (D, K)
    w: NDArray[np.float64] = np.linalg.solve(of_perturbations, left.T).T
    return w
