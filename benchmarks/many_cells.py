"""Large cells in little memory: `python -m benchmarks.many_cells [--cells 100000] [--genes 3000] [--gb 2]`.

Writes counts of planted types, a tenth of them above zero, block by block; then hands in one run after the other, each
allowed so much memory (SCVIZ_MEMORY_GB), as the dashboard does: check and open the file, draw the first map, look for
doublets and quality, compare two groups, rank markers, name the cells by the reference that comes with scviz, ask for
the price of an embedding, and embed. Printed is how each ended and the most memory that its process held (VmHWM).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.fault_cases import keep_model
from benchmarks.first_map import make
from scviz.jobs.processes import read_processes
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import (
    checking,
    embedding,
    filtering,
    group_genes,
    markers,
    opening,
    overview,
    pricing,
    qc,
    transfer,
)
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.filters import Filter
from scviz.tasks.transfer.references import find_reference
from scviz.workspace import Workspace
from tests.browser.conftest import end_engine

REFERENCE, MODEL = "blood", "geneformer/geneformer-blood"
DENSITY = 0.1
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a run ended, and what it took."""

    state: str
    said: str
    """Why it was refused or failed."""
    gigabytes: float
    """Most memory that its process held."""
    cpu: float
    seconds: float
    result: Any


def followed(queue: RunQueue, task: str, request: Any) -> Done:
    """Hand a run in and watch its process until it ends."""
    begun, run = time.monotonic(), queue.submit(task, request, again=True).run
    folder, most, cpu = queue.workspace.run_folder(run), 0.0, 0.0
    while not (row := queue.get(run)).ended:
        known = read_processes(folder)
        if known is not None:
            with suppress(psutil.Error, OSError, StopIteration):
                most, cpu = max(most, _peak(known.child)), sum(psutil.Process(known.child).cpu_times()[:2])
        time.sleep(LOOK_SECONDS)
    said = " ".join(filter(None, (row.message, row.hint)))
    result = queue.result(run) if row.state == "done" else None
    seconds = time.monotonic() - begun
    return Done(state=row.state, said=said, gigabytes=most, cpu=cpu, seconds=seconds, result=result)


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM:"))


def asked(queue: RunQueue, path: Path, only: Sequence[str] | None) -> Iterator[tuple[str, str, Any]]:
    """Give the runs one after the other, in words, with task and request; later ones build on what was opened."""
    workspace = queue.workspace
    yield "check the file", "checking", checking.Request(path=str(path))
    yield "open it", "opening", opening.Request(path=str(path), name="many")
    many = next(one.id for one in workspace.datasets() if one.name == "many")
    column = CellGroup(column="cell_type", value="type 0")
    other = CellGroup(column="cell_type", value="type 1")
    version = find_reference(workspace, REFERENCE).version  # type: ignore[union-attr]
    tiny = keep_model(workspace, "geneformer", path)
    steps = (
        ("first map", "overview", overview.Request(dataset=many)),
        ("quality of cells", "qc", qc.Request(dataset=many)),
        ("two groups", "group_genes", group_genes.Request(dataset=many, a=column, b=other)),
        ("markers of all groups", "markers", markers.Request(dataset=many, column="cell_type")),
        (
            "names by the shipped reference",
            "transfer",
            transfer.Request(dataset=many, reference=REFERENCE, reference_version=version),
        ),
        (
            "price of embedding with the model that comes with scviz",
            "pricing",
            pricing.question("embedding", embedding.Request(dataset=many, checkpoint=MODEL)),
        ),
        (
            "embed with a tiny model",
            "embedding",
            embedding.Request(dataset=many, checkpoint=tiny, batch_size=64),
        ),
        (
            "one type as a dataset",
            "filtering",
            filtering.Request(
                dataset=many, name="one type", cells=(Filter(column="cell_type", values=("type 0",)),)
            ),
        ),
    )
    yield from (step for step in steps if only is None or any(part in step[0] for part in only))
    for few in (one.id for one in workspace.datasets() if one.name == "one type"):
        yield (
            "embed that with the model that comes with scviz",
            "embedding",
            embedding.Request(dataset=few, checkpoint=MODEL),
        )


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Print a row for each run."""
    settings = Settings.from_env(
        {
            "SCVIZ_HOME": str(folder / "home"),
            "SCVIZ_DATA_ROOTS": str(folder),
            "SCVIZ_MEMORY_GB": str(options.gb),
            "SCVIZ_THREADS": "1",
            "SCVIZ_SPARE": "0",
        }
    )
    reference = find_reference(Workspace(folder / "home"), REFERENCE)
    known = list(dict.fromkeys(reference.reference.genes))  # type: ignore[union-attr]
    genes = sorted(np.random.default_rng(0).choice(known, options.genes, replace=False))
    path = folder / "cells.h5ad"
    make(path, options.cells, options.genes, int(options.genes * DENSITY), genes=genes)
    size = path.stat().st_size / 1e9
    print(
        f"{options.cells:,} cells x {options.genes:,} genes, {size:.2f} GB; a run may use {options.gb:g} GB\n"
    )
    print("| run | ended | GB | CPU s | s | said |\n| --- | --- | ---: | ---: | ---: | --- |", flush=True)
    queue = RunQueue(settings)
    try:
        for words, task, request in asked(queue, path, options.only):
            done = followed(queue, task, request)
            said = done.said
            if isinstance(done.result, pricing.Result):
                said = f"{done.result.price.gigabytes:.2f} GB, {done.result.price.seconds:,.0f} s"
            print(
                f"| {words} | {done.state} | {done.gigabytes:.2f} | {done.cpu:.0f} | {done.seconds:.0f} | {said} |",
                flush=True,
            )
    finally:
        queue.close()
        end_engine(settings.home)
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--genes", type=int, default=3_000)
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--only", nargs="*", help="parts of the names of runs: only these, after opening")
    with tempfile.TemporaryDirectory(prefix="scviz-many-cells-") as folder:
        measure(parser.parse_args(), Path(folder))


if __name__ == "__main__":
    main()
