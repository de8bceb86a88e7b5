"""CPU of comparing two groups, and of the markers of twelve: `python -m benchmarks.groups [CELLS GENES PER_CELL ...]`.

Genes are read one block at a time from the disk, as runs read them; what is printed is processor time of one process,
and the most memory that it had.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from scviz.datasets.columns import gene_blocks, write_gene_values
from scviz.metrics.many_groups import many_groups
from scviz.metrics.two_groups import two_groups

SIZES = ((20_000, 20_000, 1_000), (100_000, 20_000, 1_000), (1_000_000, 20_000, 100))
"""Cells, genes, and values of a cell."""
N_GROUPS = 12
VALUES = 4_000_000
"""Values that are made at a time."""


def make(folder: Path, n_cells: int, n_genes: int, per_cell: int) -> None:
    """Write log expression of random cells, gene by gene; some genes are seen in many cells, most in few."""
    rng = np.random.default_rng(0)
    weights = rng.gamma(0.4, 1.0, n_genes) + 1e-3
    spread = np.minimum((weights / weights.sum() * n_cells * per_cell).astype(np.int64), n_cells // 2)
    scale = rng.lognormal(0.0, 0.4, n_cells)  # cells differ in depth, so that few values are equal
    write_gene_values(folder, _parts(spread, scale, rng), spread=spread)


def _parts(spread: np.ndarray, scale: np.ndarray, rng: np.random.Generator) -> Iterator[csr_matrix]:
    start, n_cells = 0, len(scale)
    while start < len(spread):
        stop = max(start + 1, int(np.searchsorted(np.cumsum(spread[start:]), VALUES)) + start)
        own = spread[start:stop]
        # a start and a stride for each gene: different cells, ascending, without sorting
        rows = [
            (rng.integers(n_cells // n) + np.arange(n) * (n_cells // n)) if n else np.empty(0, int)
            for n in own
        ]
        ends = np.concatenate([[0], np.cumsum(own)])
        cells = np.concatenate(rows).astype(np.int32)
        values = np.log1p(rng.geometric(0.4, int(own.sum())) * scale[cells])
        yield csr_matrix((values.astype(np.float32), cells, ends), shape=(stop - start, n_cells))
        start = stop


def timed(name: str, work: Callable[[], object]) -> str:
    """Say how much processor time it took."""
    begun = time.process_time()
    work()
    return f"{name} {time.process_time() - begun:.1f} CPU-s"


def measured(folder: Path, n_cells: int) -> list[str]:
    """Time reading, both tests between two groups, and both for the markers of all."""
    groups = np.random.default_rng(1).integers(0, N_GROUPS, n_cells)
    sides = (groups > 0).astype(np.int8)

    def blocks() -> Iterator[csc_matrix]:
        return gene_blocks(folder, n_cells)

    return [
        timed("reading alone", lambda: sum(block.nnz for block in blocks())),
        timed("welch", lambda: two_groups(blocks(), sides, method="welch")),
        timed("wilcoxon", lambda: two_groups(blocks(), sides, method="wilcoxon")),
        timed("markers by welch", lambda: many_groups(blocks(), groups, N_GROUPS, method="welch")),
        timed("markers by wilcoxon", lambda: many_groups(blocks(), groups, N_GROUPS, method="wilcoxon")),
    ]


def main() -> None:
    """Print one line per size."""
    given = [int(text) for text in sys.argv[1:]]
    sizes = [tuple(given[i : i + 3]) for i in range(0, len(given), 3)] or SIZES
    for n_cells, n_genes, per_cell in sizes:
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), n_cells, n_genes, per_cell)
            found = ", ".join(measured(Path(name), n_cells))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            size = f"{n_cells:,} cells x {n_genes:,} genes, {n_cells * per_cell:,} values"
            print(f"{size}: {found}; peak {peak:,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
