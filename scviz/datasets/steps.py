"""Steps after opening: fewer cells, fewer or other genes; each makes a dataset, so that it can be taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.columns import COUNTS, SOURCE
from scviz.datasets.keeping import CELLS_AT_A_TIME, Cells, info_of, place, write_cells
from scviz.datasets.layers import read_blocks
from scviz.errors import RequestError
from scviz.progress import Report, silent
from scviz.workspace import DatasetInfo, Workspace
from scviz.workspace.names import slug, without_owner
from scviz.workspace.records import fingerprint
from scviz.workspace.store import write_info


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done to a dataset of N cells and G genes."""

    line: str
    """A sentence for the history: what was done, with its numbers."""
    cells: NDArray[np.bool_] | None = None
    """(N,) True for the cells that are kept; None keeps all."""
    genes: NDArray[np.int64] | None = None
    """(K,) positions of the genes that are kept, in their new order; None keeps all."""
    columns: Mapping[str, pd.Categorical] = field(default_factory=dict)
    """(N,) columns of cells that change."""
    var: pd.DataFrame | None = None
    """(K, ...) what is known of the genes that are kept, if that changes; its index names them."""


def apply_step(
    workspace: Workspace, dataset: str, step: Step, *, name: str = "", report: Report = silent
) -> DatasetInfo:
    """Make a dataset from another one; the first stays as it is, and the same step on it is done once.

    Parameters
    ----------
    dataset
        Id of the dataset that the step begins with.
    name
        What the new one is called; empty keeps the name.

    Raises
    ------
    DataError
        If there is no such dataset.
    RequestError
        If no cell or no gene would be left.
    """
    before, folder = workspace.dataset(dataset), workspace.dataset_folder(dataset)
    columns = {name: [str(value) for value in values] for name, values in step.columns.items()}
    key = fingerprint(without_owner(dataset), step.line, _kept(step.cells), _kept(step.genes), columns)
    name = name or before.name
    target = workspace.dataset_folder(workspace.own_name(slug(name), key))
    if (target / "info.json").exists():
        return workspace.dataset(target.name)
    cells = np.ones(before.n_cells, dtype=bool) if step.cells is None else step.cells
    genes = np.arange(before.n_genes) if step.genes is None else step.genes
    if not cells.any() or not len(genes):
        what = "cell" if len(genes) else "gene"
        raise RequestError(f"No {what} would be left.", hint="Choose wider bounds.")
    kept = _what_is_kept(folder, step, cells=cells, genes=genes)
    with place(target) as draft:
        with h5py.File(folder / COUNTS, "r") as file:
            write_cells(draft, kept, _blocks(file["X"], cells, genes), report=report)
        os.link(draft / COUNTS, draft / SOURCE)  # results are written into a copy of it
        workspace.claim(draft)
        info = info_of(draft, kept, counts=replace(before.counts, location="X"))
        write_info(
            replace(
                info,
                id=target.name,
                name=name,
                source=before.source,
                demo=before.demo,
                simulated=before.simulated,
                parent=dataset,
                history=(*before.history, step.line),
            ),
            draft,
        )
    return workspace.dataset(target.name)


def _what_is_kept(folder: Path, step: Step, *, cells: NDArray[np.bool_], genes: NDArray[np.int64]) -> Cells:
    old = anndata.read_h5ad(folder / COUNTS, backed="r")
    try:
        lost_colors = {f"{name}_colors" for name in step.columns}
        return Cells(
            obs=old.obs.assign(**step.columns)[cells],
            var=old.var.iloc[genes] if step.var is None else step.var,
            obsm={key: np.asarray(values)[cells] for key, values in old.obsm.items()},
            uns={name: value for name, value in old.uns.items() if name not in lost_colors},
        )
    finally:
        old.file.close()


def _kept(chosen: NDArray[np.generic] | None) -> str:
    return "" if chosen is None else fingerprint(np.asarray(chosen).astype(int).tolist())


def _blocks(node: h5py.Group, cells: NDArray[np.bool_], genes: NDArray[np.int64]) -> Iterator[csr_matrix]:
    """Give the counts that are kept, (n, K) at a time."""
    same = len(genes) == int(node.attrs["shape"][1]) and bool(np.all(genes == np.arange(len(genes))))
    start = 0
    for block in read_blocks(node, CELLS_AT_A_TIME):
        rows = np.flatnonzero(cells[start : start + block.shape[0]])
        start += block.shape[0]
        part = block[rows]
        yield part if same else csr_matrix(part[:, genes])
