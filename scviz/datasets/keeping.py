"""Keep cells in the workspace: counts by cell, expression by gene, names, and what is known of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets import genes
from scviz.datasets.arriving.writing import append_csr, end_csr, start_csr
from scviz.datasets.cell_columns import column_infos
from scviz.datasets.columns import COUNTS, write_gene_values, write_genes
from scviz.datasets.expression import Depth, depth_from, log_expression
from scviz.datasets.layers import read_blocks
from scviz.datasets.marked_genes import marked_genes
from scviz.datasets.turning import turn
from scviz.progress import Progress, Report
from scviz.workspace import CountsSource, DatasetInfo
from scviz.workspace.cell_marks import gene_keys, marks_of, write_marks

CELLS_AT_A_TIME = 4_096

More = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What is to be kept: N cells, G genes."""

    obs: pd.DataFrame
    var: pd.DataFrame
    obsm: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """(N, D) each."""
    uns: Mapping[str, Any] = field(default_factory=dict)


def write_cells(
    folder: Path, cells: Cells, blocks: Iterable[csr_matrix], *, report: Report, more: More = dict
) -> NDArray[np.float64]:
    """Write counts, (n, G) float32 at a time, with the tables; and the expression of each gene.

    Parameters
    ----------
    more
        Gives columns of cells, (N,) each, that are known when all blocks were read.

    Returns
    -------
    (N,) sum of each cell.
    """
    n_cells, n_genes = len(cells.obs), len(cells.var)
    sums: list[NDArray[np.float64]] = []
    names = genes.identifiers(cells.var)
    keys, marks = gene_keys(marked_genes(names)), []
    spread = np.zeros(n_genes, dtype=np.int64)
    with h5py.File(folder / COUNTS, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        node = start_csr(file, "X", n_genes, kind=np.dtype(np.float32))
        for block in blocks:
            append_csr(node, block)
            sums.append(np.asarray(block.sum(axis=1), dtype=np.float64).ravel())
            marks.append(marks_of(block, keys))
            spread += np.bincount(block.indices, minlength=n_genes)
            done = int(node.attrs["shape"][0])
            report(Progress(stage="Reading cells", done=done, total=max(n_cells, done)))
        end_csr(node)
        write_elem(file, "obs", cells.obs.assign(**more()))
        write_elem(file, "var", cells.var)
        for name, values in (("obsm", cells.obsm), ("uns", cells.uns)):
            write_elem(file, name, dict(values))
        for name in ("layers", "obsp", "varm", "varp"):
            write_elem(file, name, {})
        totals = np.concatenate([np.zeros(0), *sums])
        expression = _expression(node, depth_from(totals, cells.obs))
        by_gene = turn(expression, n_genes, n_values=int(spread.sum()), folder=folder, spread=spread)
        write_gene_values(folder, by_gene, spread=spread, report=report)
    write_genes(folder, cells.var.index.tolist(), names)
    write_marks(marks, folder)
    return totals


def info_of(folder: Path, cells: Cells, *, counts: CountsSource) -> DatasetInfo:
    """Say what is known of cells that were written; id, name, source and history are still to be filled in."""
    with h5py.File(folder / COUNTS, "r") as file:
        columns, _ = column_infos(file, sampled=False)
    return DatasetInfo(
        id="",
        name="",
        source="",
        n_cells=len(cells.obs),
        n_genes=len(cells.var),
        counts=counts,
        gene_names=genes.kind_of(cells.var.index.tolist()),
        columns=columns,
        embeddings=tuple(cells.obsm),
        species=genes.guess_species(genes.identifiers(cells.var)).species,
    )


@contextmanager
def place(folder: Path) -> Iterator[Path]:
    """Give a folder to write a dataset in, and put it in its place when it is finished.

    Nothing is left of it after an error; where somebody else was faster, theirs stays.
    """
    draft = folder.with_name(f".{folder.name}-{uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        yield draft
        _move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _expression(node: h5py.Group, depth: Depth) -> Iterator[csr_matrix]:
    """Give log expression, (n, G) at a time."""
    start = 0
    for block in read_blocks(node, CELLS_AT_A_TIME):
        part = depth.of(np.arange(start, start + block.shape[0]))
        start += block.shape[0]
        yield log_expression(block, part)


def _move(draft: Path, folder: Path) -> None:
    """Put a finished dataset in its place, unless somebody else was faster."""
    if folder.exists() and not (folder / "info.json").exists():
        shutil.rmtree(folder)
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / "info.json").exists():
            raise
