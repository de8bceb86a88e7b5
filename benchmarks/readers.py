"""CPU and memory of reading each format, beside the usual reader: `python -m benchmarks.readers [CELLS GENES VALUES]`.

The same random counts are written in every format. Each reading is a process of its own, so that its peak memory is
its own; what importing takes is taken off. Readers here also write what they read as h5ad, the others only hold it;
h5ad itself is only read, by the blocks in which opening reads it.
Readers that are not installed (loompy, mudata) are left out and named.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from anndata import AnnData
from anndata.io import write_elem
from scipy.sparse import csr_matrix

DENSE = 4_000
"""Cells and genes of a table of texts, which holds all zeros."""
LIMIT = 10**12


def counts(n_cells: int, n_genes: int, n_values: int) -> AnnData:
    """Make counts whose genes are spread over each cell."""
    import pandas as pd

    rng, per_cell = np.random.default_rng(0), n_values // n_cells
    stride = n_genes // per_cell
    places = np.arange(per_cell) * stride + rng.integers(0, stride, (n_cells, per_cell))
    values = rng.geometric(0.4, n_cells * per_cell).astype(np.float32)
    bounds = np.arange(n_cells + 1) * per_cell
    matrix = csr_matrix((values, places.ravel(), bounds), shape=(n_cells, n_genes))
    letters = np.array(list("ACGT"))
    cells = ["".join(letters[(i >> 2 * np.arange(16)) & 3]) + "-1" for i in range(n_cells)]
    genes = [f"GENE{i}" for i in range(n_genes)]
    return AnnData(matrix, pd.DataFrame(index=cells), pd.DataFrame(index=genes))


def write_10x_h5(path: Path, cells: AnnData) -> None:
    """Write what Cell Ranger 3 writes."""
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name, values in {
            "data": cells.X.data.astype(np.int32),
            "indices": cells.X.indices.astype(np.int64),
            "indptr": cells.X.indptr.astype(np.int64),
            "shape": np.array(cells.shape[::-1], dtype=np.int32),
            "barcodes": cells.obs_names.to_numpy(dtype="S"),
        }.items():
            group.create_dataset(name, data=values, compression="gzip", compression_opts=4)
        features = group.create_group("features")
        names = cells.var_names.to_numpy(dtype="S")
        for name in ("id", "name"):
            features[name] = names
        features["feature_type"] = np.full(len(names), b"Gene Expression")
        features["genome"] = np.full(len(names), b"GRCh38")
        features["_all_tag_keys"] = np.array([b"genome"])


def write_mtx(folder: Path, cells: AnnData) -> None:
    """Write the folder that Cell Ranger 3 writes."""
    folder.mkdir()
    entries = cells.X.tocoo()
    lines = zip(entries.col + 1, entries.row + 1, entries.data.astype(int), strict=True)
    with gzip.open(folder / "matrix.mtx.gz", "wt", compresslevel=4) as file:
        file.write(
            f"%%MatrixMarket matrix coordinate integer general\n%\n{cells.n_vars} {cells.n_obs} {cells.X.nnz}\n"
        )
        file.writelines(f"{gene} {cell} {count}\n" for gene, cell, count in lines)
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as file:
        file.writelines(f"{name}\n" for name in cells.obs_names)
    with gzip.open(folder / "features.tsv.gz", "wt") as file:
        file.writelines(f"{name}\t{name}\tGene Expression\n" for name in cells.var_names)


def write_loom(path: Path, cells: AnnData) -> None:
    """Write loom 3, which stores all zeros."""
    with h5py.File(path, "w") as file:
        file["attrs/LOOM_SPEC_VERSION"] = "3.0.0"
        shape = cells.shape[::-1]
        matrix = file.create_dataset(
            "matrix", shape, np.float32, chunks=(64, 64), compression="gzip", compression_opts=2
        )
        for start in range(0, cells.n_obs, 2_048):
            part = slice(start, start + 2_048)
            matrix[:, part] = cells.X[part].toarray().T
        file["row_attrs/Gene"] = cells.var_names.to_numpy(dtype=object)
        file["col_attrs/CellID"] = cells.obs_names.to_numpy(dtype=object)
        for name in ("layers", "row_graphs", "col_graphs"):
            file.create_group(name)


def write_h5mu(path: Path, cells: AnnData) -> None:
    """Write one modality as mudata does."""
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "MuData"
        file.attrs["encoding-version"] = "0.1.0"
        write_elem(file, "mod/rna", cells)
        write_elem(file, "obs", cells.obs)
        write_elem(file, "var", cells.var)
        for name in ("obsm", "varm", "obsp", "varp", "uns", "obsmap", "varmap"):
            write_elem(file, name, {})
        write_elem(file, "obsmap/rna", np.arange(1, cells.n_obs + 1))
        write_elem(file, "varmap/rna", np.arange(1, cells.n_vars + 1))


def write_rds(path: Path, cells: AnnData) -> None:
    """Write a Seurat object with one assay."""
    from tests.datasets import r_writer as r

    rows, columns = list(cells.var_names), list(cells.obs_names)
    matrix = {
        "i": r.integers(cells.X.indices),
        "p": r.integers(cells.X.indptr),
        "Dim": r.integers(cells.shape[::-1]),
        "Dimnames": r.vector([r.strings(rows), r.strings(columns)]),
        "x": r.reals(cells.X.data),
        "factors": r.vector([]),
    }
    found = r.s4("dgCMatrix", "Matrix", **matrix)
    empty = r.matrix(np.zeros((0, 0)))
    assay = r.s4("Assay", "SeuratObject", counts=found, data=found, **{"scale.data": empty})
    about = r.frame({"nCount_RNA": r.reals(np.asarray(cells.X.sum(axis=1)).ravel())}, columns)
    slots = {"assays": r.named({"RNA": assay}), "meta.data": about, "active.assay": r.strings(["RNA"])}
    r.save_rds(path, r.s4("Seurat", "SeuratObject", **slots, reductions=r.named({})))


def write_csv(path: Path, cells: AnnData) -> None:
    """Write genes by cells, as GEO has them."""
    part = cells[:DENSE, :DENSE]
    with gzip.open(path, "wt", compresslevel=4) as file:
        file.write("," + ",".join(part.obs_names) + "\n")
        for name, row in zip(part.var_names, part.X.T.toarray().astype(int), strict=True):
            file.write(f"{name},{','.join(map(str, row.tolist()))}\n")


FORMATS: dict[str, tuple[str, Callable[[Path, AnnData], Any], str]] = {
    "h5ad": (
        "cells.h5ad",
        lambda path, cells: cells.write_h5ad(path, compression="gzip"),
        "anndata:read_h5ad",
    ),
    "10x h5": ("cells.h5", write_10x_h5, "scanpy:read_10x_h5"),
    "10x folder (mtx.gz)": ("folder", write_mtx, "scanpy:read_10x_mtx"),
    "zarr": ("cells.zarr", lambda path, cells: cells.write_zarr(path), "anndata:read_zarr"),
    "h5mu": ("cells.h5mu", write_h5mu, "mudata:read_h5mu"),
    "loom": ("cells.loom", write_loom, "anndata.io:read_loom"),
    "Seurat rds": ("cells.rds", write_rds, ""),
    f"csv.gz, {DENSE:,} x {DENSE:,}": ("cells.csv.gz", write_csv, "anndata.io:read_csv"),
}
"""File, writer and usual reader of each format."""


def read_here(path: Path, home: Path) -> int:
    """Read a file as opening does; return how many values it holds."""
    from scviz.datasets.arriving.readers import arrive
    from scviz.datasets.streaming import matrix_blocks

    arrived = arrive(path, home, content=lambda: "one", limit=LIMIT)
    if arrived.arrival is not None:
        return 0
    with h5py.File(path) as file:
        return sum(block.nnz for block in matrix_blocks(file, "X", home))


def measured(path: Path, reader: str, home: Path) -> None:
    """Read the file in this process and print what it took."""
    import scanpy  # noqa: F401 - so that nobody's time has it

    import scviz.datasets.readers  # noqa: F401

    read: Callable[[], Any] = lambda: read_here(path, home)  # noqa: E731
    if reader:
        module, name = reader.split(":")
        function = getattr(__import__(module, fromlist=[name]), name)
        read = lambda: function(path)  # noqa: E731
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    start = resource.getrusage(resource.RUSAGE_SELF)
    read()
    end = resource.getrusage(resource.RUSAGE_SELF)
    seconds = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
    print(json.dumps({"cpu": seconds, "peak": _memory("VmHWM") - before}))


def _memory(what: str) -> float:
    """Return megabytes that this process has or had (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(what))


def ask(path: Path, reader: str, home: Path) -> dict[str, float] | None:
    """Measure in another process; None where the reader is not installed."""
    command = [sys.executable, "-m", "benchmarks.readers", "--read", str(path), reader, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a row of a table for each format."""
    if sys.argv[1:2] == ["--read"]:
        measured(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
        return
    n_cells, n_genes, n_values = (int(text) for text in sys.argv[1:] or ("20000", "20000", "5000000"))
    cells = counts(n_cells, n_genes, n_values)
    print("| Format | here | MB | usual reader | | MB | ratio |\n|---|---|---|---|---|---|---|")
    for name, (file, write, reader) in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            write(path, cells)
            own = ask(path, "", Path(folder) / "home")
            other = ask(path, reader, Path(folder)) if reader else None
            assert own is not None
            row = [name, f"{own['cpu']:.2f} s", f"{own['peak']:,.0f}", reader or "none without R"]
            row += (
                ["not installed", "", ""]
                if other is None
                else [f"{other['cpu']:.2f} s", f"{other['peak']:,.0f}", f"{own['cpu'] / other['cpu']:.2f}"]
            )
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
