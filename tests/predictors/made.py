"""A made screen in which the genes that a perturbation changes follow from its gene."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.predictors.vectors import GeneVectors

N_GENES, WIDTH = 40, 3
GENES = tuple(f"G{i}" for i in range(N_GENES))
VECTORS = np.random.default_rng(1).normal(size=(N_GENES, WIDTH))
EFFECTS = np.random.default_rng(2).normal(size=(WIDTH, N_GENES))
BASE = np.random.default_rng(3).uniform(2, 4, N_GENES)


def gene_vectors(n: int = N_GENES) -> GeneVectors:
    """The vectors that decide what a gene does, of the first n genes."""
    return GeneVectors(genes=GENES[:n], vectors=VECTORS[:n].astype(np.float32), source="The made source")


def truth(perturbation: Perturbation) -> np.ndarray:
    """Mean expression after a perturbation; changes add up."""
    return BASE + sum((VECTORS[GENES.index(gene)] @ EFFECTS for gene in perturbation), np.zeros(N_GENES))


def screen(perturbations: list[Perturbation], *, n_cells: int = 4, noise: float = 0.0) -> Screen:
    """Cells of each perturbation and of control."""
    rng = np.random.default_rng(0)
    whole = sorted({CONTROL, *perturbations})
    rows = np.repeat([truth(one) for one in whole], n_cells, axis=0)
    return Screen(
        expression=sp.csr_matrix((rows + noise * rng.normal(size=rows.shape)).astype(np.float32)),
        genes=GENES,
        perturbations=tuple(whole),
        codes=np.repeat(np.arange(len(whole)), n_cells),
    )


def singles(first: int, last: int) -> list[Perturbation]:
    """Perturbations of one gene each."""
    return [(gene,) for gene in GENES[first:last]]
