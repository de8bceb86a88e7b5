"""The dataset that comes with the project's requirements: 700 blood cells with ten known labels."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from scviz.datasets import tables
from scviz.datasets.matrices import matrix_at, sample_rows
from scviz.datasets.recovery import LOGARITHMS, recover_rows
from scviz.errors import DataError
from scviz.progress import Report, silent

if TYPE_CHECKING:
    from anndata import AnnData

    from scviz.workspace import DatasetInfo, Workspace

DEMO_NAME = "PBMC demo (700 cells)"
DEMO_TARGET = 10_000
"""Counts per cell to which the file was normalized, over all genes of the experiment."""


def demo_path() -> Path:
    """Return the file of the demo dataset, which scanpy brings along; scanpy is not imported.

    Raises
    ------
    DataError
        If it is not there.
    """
    found = find_spec("scanpy")
    path = (
        Path(found.origin).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
        if found and found.origin
        else None
    )
    if path is None or not path.exists():
        raise DataError("The demo data are not there.", hint="Install scanpy, which brings them along.")
    return path


def open_demo(workspace: Workspace, report: Report = silent) -> DatasetInfo:
    """Open the demo dataset; worker only."""
    from scviz.datasets.readers import open_file

    path = demo_path()
    return open_file(path, workspace, name=DEMO_NAME, report=report, demo=True, notes=(demo_check(path),))


def demo_check(path: Path) -> str:
    """Compare the recovered counts with the cells' own totals, which the recovery does not use.

    The file keeps the total of each cell over all genes of the experiment. With it each count is
    expm1(value) x total / 10,000, rounded.

    Returns
    -------
    A sentence with the outcome.
    """
    with h5py.File(path, "r") as file:
        rows = sample_rows(matrix_at(file, "raw/X"))  # fewer cells than a sample takes: all of them
        totals = tables.read_column(file["obs"], "n_counts").values
    cell = np.repeat(np.arange(rows.n_cells), np.diff(rows.bounds))
    expected = np.rint(np.expm1(rows.values.astype(np.float64)) * totals[cell] / DEMO_TARGET)
    n_equal = int(np.sum(expected == recover_rows(rows, LOGARITHMS[0])))
    return (
        "The file holds logarithms. In each cell expm1 of the values are whole multiples of one unit, which gives "
        f"the counts; {n_equal:,} of {len(expected):,} are also what follows from the total of each cell that the "
        "file states (n_counts)."
    )


def demo_cells(n_cells: int) -> AnnData:
    """Read the counts of some cells of the demo, spread evenly over the file, (n_cells, 765); worker only."""
    from anndata import AnnData, read_h5ad
    from scipy.sparse import csr_matrix

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is of an old layout
        demo = read_h5ad(demo_path())
    chosen = np.linspace(0, demo.n_obs - 1, n_cells).astype(np.int64)
    totals = demo.obs["n_counts"].to_numpy(dtype=np.float64)[chosen]
    counts = csr_matrix(csr_matrix(demo.raw.X)[chosen].expm1().multiply(totals[:, None] / DEMO_TARGET))
    counts.data = np.rint(counts.data).astype(np.float32)
    adata = AnnData(counts)
    adata.var_names = demo.raw.var_names
    return adata
