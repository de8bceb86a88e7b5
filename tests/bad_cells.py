"""210 cells, of which 22 are bad in known ways: what quality control must find, by cell type."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scviz.datasets.readers import open_file
from scviz.progress import Report, silent
from scviz.tasks.context import Context
from scviz.workspace import DatasetInfo, Workspace

N_PLAIN, N_CELLS = 200, 210
NAMES = (
    *(f"GENE{number}" for number in range(N_PLAIN)),
    *("MT-ND1", "MT-CO1", "RPL10A", "RPLP0", "RPS4X"),
    *("MTOR", "MRPL1", "RPS6KA1"),  # are none of these kinds
)
TYPES = np.array(["B"] * 100 + ["T"] * 100 + ["Platelet"] * 10)
HIGH_MITOCHONDRIAL, EMPTY, OVERFULL = range(0, 50, 10), range(100, 160, 20), range(110, 190, 20)
LOST = {"Platelet": (10, 10), "T": (100, 7), "B": (100, 5)}
"""Cells of each type, and those that the suggested thresholds take: all platelets hold little; 3 empty and 4 overfull
T cells; 5 B cells with many mitochondrial counts."""


def counts() -> np.ndarray:
    """(210, 208) counts; those of good cells are spread evenly, so that none of them lies beyond 3 MADs."""
    cells = np.arange(N_CELLS)
    made = np.zeros((N_CELLS, len(NAMES)), dtype=np.int64)
    made[:, :N_PLAIN] = 4
    for cell in cells:
        made[cell, N_PLAIN - cell % 21 : N_PLAIN] = 0
    made[:, N_PLAIN] = 20 + cells % 31
    made[:, N_PLAIN + 2] = 60 + cells % 37
    made[:, 0] += 1000 + 5 * (cells % 41 - 20) - made.sum(axis=1)
    made[list(HIGH_MITOCHONDRIAL), N_PLAIN + 1] = 600
    made[list(EMPTY)] = 0
    made[np.ix_(list(EMPTY), range(1, 11))] = 2
    made[list(OVERFULL)] *= 5
    made[200:] = 0
    made[200:, 1:41] = 3
    return made


def bad_cells() -> anndata.AnnData:
    """The cells with their types, in two batches."""
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(TYPES),
            "batch": pd.Categorical([f"batch {cell % 2}" for cell in range(N_CELLS)]),
        },
        index=[f"cell{cell}" for cell in range(N_CELLS)],
    )
    return anndata.AnnData(
        X=csr_matrix(counts().astype(np.float32)), obs=obs, var=pd.DataFrame(index=list(NAMES))
    )


def open_bad_cells(workspace: Workspace, folder: Path) -> DatasetInfo:
    """The cells as a dataset of a workspace."""
    bad_cells().write_h5ad(folder / "bad.h5ad")
    return open_file(folder / "bad.h5ad", workspace, name="bad")


def context(workspace: Workspace, run: str = "one", report: Report = silent) -> Context:
    """The surroundings of a run."""
    return Context(workspace=workspace, report=report, folder=workspace.run_folder(run))
