"""How good cells are: their counts and genes, and the share of mitochondrial and ribosomal genes in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import COUNTS, gene_identifiers
from scviz.datasets.gene_kinds import kinds_of_genes
from scviz.datasets.layers import read_blocks
from scviz.progress import Progress, Report, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of each cell that is looked at."""

    label: str
    logarithmic: bool = False
    """Whether thresholds and pictures are made on a logarithmic scale."""
    share: bool = False
    """Whether it is a share from 0 to 1, which pages write as percent."""
    applied: tuple[bool, bool] = (True, True)
    """Whether the suggested low and high threshold hold until somebody moves them."""


MEASURES: dict[str, Measure] = {
    "counts": Measure(label="Counts", logarithmic=True),
    "genes": Measure(label="Genes", logarithmic=True),
    "mitochondrial": Measure(label="Mitochondrial", share=True, applied=(False, True)),
    "ribosomal": Measure(label="Ribosomal", share=True, applied=(False, False)),
    "doublet_score": Measure(label="Doublet score", applied=(False, True)),
}
"""Few mitochondrial genes are no fault; the ribosomal share differs between cell types, so that its thresholds are
only drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellQuality:
    """What was counted in N cells and G genes."""

    measures: dict[str, NDArray[np.float64]]
    """(N,) counts, genes, mitochondrial and ribosomal share of each cell; shares are NaN in cells without counts."""
    gene_cells: NDArray[np.int64]
    """(G,) cells in which each gene is seen."""
    n_mitochondrial: int
    n_ribosomal: int


def families(folder: Path) -> dict[str, NDArray[np.bool_]]:
    """Tell which genes of a dataset are mitochondrial and ribosomal, (G,) each, by symbol or Ensembl id."""
    kinds = np.array(kinds_of_genes(gene_identifiers(folder)))
    return {name: kinds == name for name in ("mitochondrial", "ribosomal")}


def measure_cells(folder: Path, report: Report = silent) -> CellQuality:
    """Count in all cells of a dataset, some of them in memory at a time."""
    of_kind = families(folder)
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in ("counts", "genes", *of_kind)}
    gene_cells = np.zeros(len(of_kind["mitochondrial"]), dtype=np.int64)
    with h5py.File(folder / COUNTS, "r") as file:
        n_cells, done = int(file["X"].attrs["shape"][0]), 0
        for block in read_blocks(file["X"]):
            seen = block.data > 0
            total = np.asarray(block.sum(axis=1, dtype=np.float64)).ravel()
            parts["counts"].append(total)
            rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            parts["genes"].append(np.bincount(rows[seen], minlength=block.shape[0]).astype(np.float64))
            for name, chosen in of_kind.items():
                own = np.bincount(rows, block.data * chosen[block.indices], minlength=block.shape[0])
                with np.errstate(invalid="ignore"):
                    parts[name].append(own / total)
            gene_cells += np.bincount(block.indices[seen], minlength=len(gene_cells))
            done += block.shape[0]
            report(Progress(stage="Counting", done=done, total=n_cells))
    return CellQuality(
        measures={name: np.concatenate([np.zeros(0), *values]) for name, values in parts.items()},
        gene_cells=gene_cells,
        n_mitochondrial=int(of_kind["mitochondrial"].sum()),
        n_ribosomal=int(of_kind["ribosomal"].sum()),
    )


def cells_with_genes(folder: Path, kept: NDArray[np.bool_], report: Report = silent) -> NDArray[np.int64]:
    """Count for each gene the kept cells, (N,), in which it is seen, (G,), some cells in memory at a time."""
    with h5py.File(folder / COUNTS, "r") as file:
        found = np.zeros(int(file["X"].attrs["shape"][1]), dtype=np.int64)
        start = 0
        for block in read_blocks(file["X"]):
            rows = np.repeat(np.arange(start, start + block.shape[0]), np.diff(block.indptr))
            start += block.shape[0]
            found += np.bincount(block.indices[(block.data > 0) & kept[rows]], minlength=len(found))
            report(Progress(stage="Counting genes", done=start, total=len(kept)))
    return found
