"""Cells of several types, donors and conditions, with known differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scviz.datasets.readers import open_file
from scviz.workspace import DatasetInfo, Workspace

N_GENES = 80
CHANGED = 12
"""Genes, the first ones, that are four times higher in cells of type B of stim."""
Cells = Mapping[tuple[str, str], Mapping[str, int]]
"""(donor, condition) -> type -> how many cells."""


def crossed(n_donors: int, cells: Callable[[int, str], Mapping[str, int]]) -> Cells:
    """The same donors in both conditions; `cells` gives the types of a donor in a condition."""
    return {(f"donor {i}", name): cells(i, name) for i in range(n_donors) for name in ("ctrl", "stim")}


def nested(n_donors: int, cells: Callable[[int, str], Mapping[str, int]]) -> Cells:
    """Other donors in each condition."""
    return {(f"{name} {i}", name): cells(i, name) for name in ("ctrl", "stim") for i in range(n_donors)}


def steady(donor: int, condition: str) -> dict[str, int]:
    """Four types whose shares vary a little between donors and not between conditions."""
    wobble = {"ctrl": donor % 3, "stim": (donor + 1) % 3}[condition]
    return {"A": 40 + wobble, "B": 30 - wobble, "C": 20 + donor % 2, "D": 12}


def adata_of(cells: Cells, *, changed: bool = True, seed: int = 0) -> anndata.AnnData:
    """Counts, of which CHANGED genes differ between conditions in cells of type B."""
    rng = np.random.default_rng(seed)
    rows = [
        (donor, condition, kind)
        for (donor, condition), types in cells.items()
        for kind, n_cells in types.items()
        for _ in range(n_cells)
    ]
    obs = pd.DataFrame(rows, columns=["donor", "condition", "cell_type"]).astype("category")
    obs.index = pd.Index([f"CELL{i}" for i in range(len(obs))], dtype=object)
    level = np.tile(rng.uniform(2, 6, N_GENES), (len(obs), 1))  # (N, G)
    if changed:
        risen = (obs["cell_type"] == "B") & (obs["condition"] == "stim")
        level[risen.to_numpy(), :CHANGED] *= 4
    donors = obs["donor"].cat.codes.to_numpy()
    level = level * rng.lognormal(0, 0.1, (donors.max() + 1, N_GENES))[donors]
    genes = pd.DataFrame(index=pd.Index([f"GENE{i}" for i in range(N_GENES)], dtype=object))
    counts = rng.poisson(level).astype(np.float32)
    return anndata.AnnData(X=csr_matrix(counts), obs=obs, var=genes)


def sums_of_donors(
    n: int, m: int, rng: np.random.Generator, *, depth: float = 1.0, paired: bool = False, n_changed: int = 0
) -> np.ndarray:
    """Counts of 3,000 genes summed over the cells of n and m donors, (n + m, 3,000), which differ among themselves.

    Parameters
    ----------
    depth
        How many times as many counts the first n hold.
    paired
        Whether the same donors are on both sides, which differ from themselves half as much.
    n_changed
        Genes, the first ones, that are four times as high in the first n.
    """
    n_genes, spread = 3_000, 0.25
    donors = rng.lognormal(0, spread, (n if paired else n + m, n_genes))
    if paired:
        donors = np.concatenate([donors, donors]) * rng.lognormal(0, spread / 2, (2 * n, n_genes))
    sizes = np.repeat([np.sqrt(depth), 1 / np.sqrt(depth)], [n, m]) * rng.lognormal(0, 0.2, n + m)
    level = rng.lognormal(2, 1.8, n_genes) * donors * sizes[:, None]
    level[:n, :n_changed] *= 4
    return rng.poisson(level)


def open_cells(adata: anndata.AnnData, workspace: Workspace, folder: Path) -> DatasetInfo:
    """Open them."""
    adata.write_h5ad(folder / "conditions.h5ad")
    return open_file(folder / "conditions.h5ad", workspace, name="conditions")
