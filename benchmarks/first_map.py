"""CPU of opening a file and drawing its first map, made here: `python -m benchmarks.first_map [CELLS GENES PER_CELL]`.

Counts of planted types, opened and mapped in a fresh process of one thread each, as the first visitor of a server meets
it; the second line of the map is taken when its compiled part lies on the disk.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from anndata.io import write_elem

SIZE = (20_000, 20_000, 1_000)
"""Cells, genes, and values of a cell."""
N_TYPES = 12
MARKERS = 150
"""Genes that cells of a type have more of."""
ROWS = 10_000
"""Cells that are made at a time."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def make(path: Path, n_cells: int, n_genes: int, per_cell: int, *, genes: Sequence[str] = ()) -> None:
    """Write counts of planted types, sparse by cell, as AnnData stores them; without names genes are numbered."""
    import pandas as pd

    rng, kinds = np.random.default_rng(0), np.arange(n_cells) % N_TYPES
    stride = n_genes // per_cell
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        node = file.create_group("X")
        node.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        node.attrs["shape"] = np.array([n_cells, n_genes])
        total = n_cells * per_cell
        node.create_dataset("data", (total,), np.float32, chunks=(1 << 17,))
        node.create_dataset("indices", (total,), np.int32, chunks=(1 << 17,))
        node["indptr"] = np.arange(n_cells + 1, dtype=np.int64) * per_cell
        for start in range(0, n_cells, ROWS):
            shape = (min(ROWS, n_cells - start), per_cell)
            part = slice(start * per_cell, (start + shape[0]) * per_cell)
            places = np.arange(per_cell) * stride + rng.integers(0, stride, shape)  # (n, values)
            values = rng.geometric(0.4, shape).astype(np.float32)
            first = (kinds[start : start + shape[0], None] * MARKERS) % per_cell
            at = np.arange(per_cell)
            values += 6 * ((at >= first) & (at < first + MARKERS)) * (places % stride == 0)
            node["indices"][part], node["data"][part] = places.ravel(), values.ravel()
        types = pd.Categorical.from_codes(kinds, [f"type {i}" for i in range(N_TYPES)])
        names = [f"cell{i}-1" for i in range(n_cells)]
        write_elem(file, "obs", pd.DataFrame({"cell_type": types}, index=names))
        write_elem(file, "var", pd.DataFrame(index=[*genes] or [f"GENE{i}" for i in range(n_genes)]))
        for name in ("obsm", "varm", "obsp", "varp", "layers", "uns"):
            write_elem(file, name, {})


def opened(path: Path, home: Path) -> None:
    """Open the file in this process and print what it took."""
    from scviz.datasets.readers import open_file
    from scviz.workspace import Workspace

    info = open_file(path, Workspace(home))
    print(json.dumps({"dataset": info.id, "cpu": _cpu(), "peak_mb": _peak()}))


def mapped(dataset: str, home: Path) -> None:
    """Draw the first map in this process and print what each stage took."""
    from scviz.progress import Progress
    from scviz.tasks.context import Context
    from scviz.tasks.overview import Request
    from scviz.tasks.overview.run import run
    from scviz.workspace import Workspace

    marks: list[tuple[str, float]] = [("loading libraries", 0.0)]

    def report(progress: Progress) -> None:
        if marks[-1][0] != progress.stage:
            marks.append((progress.stage, _cpu()))

    workspace = Workspace(home)
    context = Context(workspace=workspace, report=report, folder=workspace.run_folder("first"))
    result = run(Request(dataset=dataset), context)
    ends = [*(start for _, start in marks[1:]), _cpu()]
    stages = {name: end - start for (name, start), end in zip(marks, ends, strict=True)}
    print(json.dumps({"stages": stages, "cpu": _cpu(), "peak_mb": _peak(), "clusters": result.n_clusters}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _alone(*arguments: str, env: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.first_map", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD | env
    )
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def main() -> None:
    """Print what opening took, what the first map took with and without compiling, and both together."""
    if sys.argv[1:2] == ["--open"]:
        opened(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--map"]:
        mapped(sys.argv[2], Path(sys.argv[3]))
        return
    size = tuple(int(text) for text in sys.argv[1:4]) or SIZE
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder) / "cells.h5ad", f"{folder}/home"
        make(path, *size)
        env = {"NUMBA_CACHE_DIR": f"{folder}/numba"}
        first = _alone("--open", str(path), home, env=env)
        print(f"opening {size[0]:,} cells x {size[1]:,} genes: {first['cpu']:.1f} CPU-s", flush=True)
        for said in ("compiled anew", "compiled before"):
            begun = time.monotonic()
            found = _alone("--map", str(first["dataset"]), home, env=env)
            stages = ", ".join(f"{name.lower()} {took:.1f}" for name, took in found["stages"].items())
            print(
                f"first map, {said}: {found['cpu']:.1f} CPU-s ({stages}), peak {found['peak_mb']:,.0f} MB, "
                f"{found['clusters']} clusters, {time.monotonic() - begun:.0f} s; together "
                f"{first['cpu'] + found['cpu']:.1f} CPU-s",
                flush=True,
            )


if __name__ == "__main__":
    main()
