"""Matrix Market files of every writer, made of random counts, and what a reader gives as plain tables."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import vstack

from scviz.datasets.arriving.contract import Choices, Incoming
from scviz.datasets.arriving.folder import read_folder, read_matrix
from scviz.progress import silent

CELLS, GENES = 7, 11
LIMIT = 10**9


def made(seed: int = 0, *, n_cells: int = CELLS, n_genes: int = GENES) -> np.ndarray:
    """(N, G) small counts, a third of them not 0, the last cell and gene among these."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, (n_cells, n_genes)) * (rng.random((n_cells, n_genes)) < 0.35)
    counts[-1, -1] = 5
    return counts


def barcodes(n: int = CELLS) -> list[str]:
    letters = "ACGT"
    return ["".join(letters[(i >> 2 * k) & 3] for k in range(8)) + "-1" for i in range(n)]


def features(n: int = GENES, first: int = 0) -> list[str]:
    return [f"ENSG{i + 1:011d}\tGENE{i + 1}\tGene Expression" for i in range(first, first + n)]


def ids(n: int = GENES, first: int = 0) -> list[str]:
    return [line.split("\t")[0] for line in features(n, first)]


def entries(matrix: np.ndarray, *, by: str = "columns", decimals: bool = False) -> list[str]:
    """Lines of a matrix as it lies in the file, one entry each."""
    rows, columns = np.nonzero(matrix)
    order = np.lexsort((rows, columns)) if by == "columns" else np.arange(len(rows))
    kind = float if decimals else int
    return [f"{rows[i] + 1} {columns[i] + 1} {kind(matrix[rows[i], columns[i]])}" for i in order]


def write(path: Path, content: str | bytes) -> Path:
    """Write a file, compressed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    return write(path, "".join(f"{line}\n" for line in lines))


def write_mtx(
    path: Path,
    matrix: np.ndarray,
    lines: Sequence[str] | None = None,
    *,
    kind: str = "integer",
    head: str = "%\n",
) -> Path:
    """Write a matrix as it lies in the file: rows, then columns."""
    lines = entries(matrix) if lines is None else lines
    n, m = matrix.shape
    start = f"%%MatrixMarket matrix coordinate {kind} general\n{head}{n} {m} {len(lines)}\n"
    return write(path, start + "".join(f"{line}\n" for line in lines))


def write_10x(folder: Path, counts: np.ndarray, *, prefix: str = "", gz: bool = True) -> Path:
    """Write a folder of Cell Ranger 3 (gz) or with its names, genes x cells."""
    end = ".gz" if gz else ""
    write_mtx(folder / f"{prefix}matrix.mtx{end}", counts.T)
    write_lines(folder / f"{prefix}barcodes.tsv{end}", barcodes(len(counts)))
    write_lines(folder / f"{prefix}features.tsv{end}", features(counts.shape[1]))
    return folder


def read(path: Path, choices: Choices | None = None, *, limit: int = LIMIT) -> Incoming:
    reader = read_folder if path.is_dir() else read_matrix
    return reader(path, choices or Choices(), limit=limit, report=silent)


def table(incoming: Incoming, location: str = "X") -> pd.DataFrame:
    """What was read, cells x genes, with its names."""
    blocks = list(incoming.matrices[location]())
    assert all(block.has_canonical_format for block in blocks)
    values = vstack(blocks).toarray()
    return pd.DataFrame(values, index=incoming.cells.index, columns=incoming.genes.index)


def equal(incoming: Incoming, counts: np.ndarray, location: str = "X") -> bool:
    return np.array_equal(table(incoming, location).to_numpy(), counts)
