"""Memory and CPU of opening large files, made here: `python -m benchmarks.opening [CELLS GENES PER_CELL ...]`.

Each file is opened in a process of its own; its peak memory is that of the process, its disk use that of the dataset.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from anndata.io import write_elem

SIZES = ((1_000_000, 2_000, 100), (200_000, 30_000, 1_000))
"""Cells, genes, and values of a cell."""
ROWS = 10_000
"""Cells that are made at a time."""


def make(path: Path, n_cells: int, n_genes: int, per_cell: int) -> None:
    """Write counts of random genes, sparse by cell, as AnnData stores them."""
    import pandas as pd

    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        node = file.create_group("X")
        node.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        node.attrs["shape"] = np.array([n_cells, n_genes])
        total = n_cells * per_cell
        node.create_dataset("data", (total,), np.float32, chunks=(1 << 17,))
        node.create_dataset("indices", (total,), np.int32, chunks=(1 << 17,))
        node["indptr"] = np.arange(n_cells + 1, dtype=np.int64) * per_cell
        stride = n_genes // per_cell
        for start in range(0, n_cells, ROWS):
            shape = (min(ROWS, n_cells - start), per_cell)
            part = slice(start * per_cell, (start + shape[0]) * per_cell)
            places = np.arange(per_cell) * stride + rng.integers(0, stride, shape)
            node["indices"][part] = places.ravel()
            node["data"][part] = rng.geometric(0.4, shape).ravel()
        types = pd.Categorical.from_codes(np.arange(n_cells) % 12, [f"type {i}" for i in range(12)])
        write_elem(
            file, "obs", pd.DataFrame({"cell_type": types}, index=[f"cell{i}-1" for i in range(n_cells)])
        )
        write_elem(file, "var", pd.DataFrame(index=[f"GENE{i}" for i in range(n_genes)]))
        for name in ("obsm", "varm", "obsp", "varp", "layers", "uns"):
            write_elem(file, name, {})


def opened(path: Path, home: Path) -> None:
    """Open the file in this process and print what it took."""
    from scviz.datasets.readers import open_file
    from scviz.workspace import Workspace

    before = resource.getrusage(resource.RUSAGE_SELF)
    info = open_file(path, Workspace(home))
    after = resource.getrusage(resource.RUSAGE_SELF)
    folder = Workspace(home).dataset_folder(info.id)
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": seconds, "peak_mb": _peak(), "disk_mb": size / 1e6}))


def _peak() -> float:
    """Return the most megabytes that this process had (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Print one line per file."""
    if sys.argv[1:2] == ["--open"]:
        opened(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    given = [int(text) for text in sys.argv[1:]]
    sizes = [tuple(given[i : i + 3]) for i in range(0, len(given), 3)] or SIZES
    for n_cells, n_genes, per_cell in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cells.h5ad"
            make(path, n_cells, n_genes, per_cell)
            command = [sys.executable, "-m", "benchmarks.opening", "--open", str(path), f"{folder}/home"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            print(
                f"{n_cells:>9,} cells x {n_genes:>6,} genes, {n_cells * per_cell:>11,} values, file "
                f"{path.stat().st_size / 1e6:,.0f} MB: {found['cpu']:.0f} CPU-s, peak {found['peak_mb']:,.0f} MB, "
                f"on disk {found['disk_mb']:,.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
