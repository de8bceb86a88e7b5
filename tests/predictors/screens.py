"""A small made screen: each perturbed gene shifts expression in a way of its own, and pairs add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp

from scviz.datasets.screen import Perturbation, Screen

N_GENES = 40
N_PATHWAYS = 4
"""Gene i belongs to pathway i % 4; genes of a pathway do the same when they are perturbed."""

TERMS: Mapping[str, frozenset[str]] = {
    f"G{i}": frozenset({f"pathway {i % N_PATHWAYS}", f"alone {i}"}) for i in range(30)
}


def planted_screen(
    perturbations: Sequence[Perturbation],
    *,
    n_cells: int = 20,
    n_controls: int = 60,
    genes: Sequence[str] = tuple(f"G{i}" for i in range(N_GENES)),
    seed: int = 0,
) -> Screen:
    """Return cells of these perturbations, and control cells unless their number is 0."""
    planted, rng = np.random.default_rng(99), np.random.default_rng(seed)
    shifts = planted.normal(0, 1.0, size=(N_PATHWAYS, len(genes)))
    means = planted.gamma(2.0, 0.5, size=len(genes)) + 1
    kinds = ((), *perturbations) if n_controls else tuple(perturbations)
    rows, codes = [], []
    for code, perturbation in enumerate(kinds):
        n = n_cells if perturbation else n_controls
        pathways = [int("".join(filter(str.isdigit, gene))) % N_PATHWAYS for gene in perturbation]
        mean = means + shifts[pathways].sum(axis=0)
        rows.append(np.maximum(rng.normal(mean, 0.3, size=(n, len(genes))), 0))
        codes += [code] * n
    return Screen(
        expression=sp.csr_matrix(np.vstack(rows).astype(np.float32)),
        genes=tuple(genes),
        perturbations=tuple(kinds),
        codes=np.array(codes),
    )
