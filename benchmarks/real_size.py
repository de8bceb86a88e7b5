"""Weights of the published size, taken in and used: `python -m benchmarks.real_size FILE [--models ...]`.

Writes a folder as the authors lay it out, with random numbers and a vocabulary that knows the genes of the file
(`benchmarks/published_layouts.py`), takes it in as `python -m scviz models import` does, and embeds the first cells.
Every step has a process of its own, so that its peak of memory is its own. Folders are removed model by model.

With `--gb 2` the same is handed in as runs that may use so much memory each, taken in and then a map of the cells with
all that belongs to it: printed is how each ended, the most memory that its process held, and what was said.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from benchmarks.many_cells import Done, followed
from benchmarks.published_layouts import WRITERS
from scviz.datasets.genes import identifiers
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.memory import peak_gb
from scviz.models import model_class
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import embedding
from scviz.tasks.context import Context
from scviz.tasks.importing import Request
from scviz.tasks.importing.run import run
from scviz.workspace import Workspace
from tests.browser.conftest import end_engine

T = TypeVar("T")

COLUMNS = (
    "weights",
    "millions",
    "tensors read / missing / unexpected",
    "taken in, s",
    "GB",
    "loaded, s",
    "tokens of a cell",
    "CPU s per cell",
    "GB",
    "embedding",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What taking a folder in gave and cost."""

    checkpoint: str
    n_weights: int
    tensors: tuple[int, int, int]
    """Read, missing, unexpected."""
    seconds: float
    gb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What loading and embedding gave and cost."""

    load_seconds: float
    n_tokens: float
    """Mean over the cells."""
    cpu_seconds: float
    """Of one cell."""
    gb: float
    shape: tuple[int, ...]
    n_finite: int
    """Cells that have a vector of numbers."""


def alone(work: Callable[..., T], *arguments: object) -> T:
    """Do a piece of work in a new process that ends with it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def surroundings(home: Path) -> Context:
    """Return a workspace with a run."""
    workspace = Workspace(home)
    return Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))


def opened(home: Path, file: Path) -> str:
    """Open the file; return the id of the dataset."""
    return open_file(file, surroundings(home).workspace, name=file.stem).id


def written(home: Path, dataset: str, name: str) -> None:
    """Write the folder of a model."""
    torch.manual_seed(0)
    folder = home / "published"
    folder.mkdir()
    WRITERS[name](folder, identifiers(surroundings(home).counts(dataset).var))


def imports_alone() -> float:
    """Return the memory that a process takes before it has read anything."""
    model_class("geneformer")
    return peak_gb()


def taken_in(home: Path, name: str) -> Intake:
    """Take the folder of a model in."""
    model = name.partition("-")[0]
    model_class(model)  # importing libraries is not counted
    start = time.perf_counter()
    found = run(
        Request(model=model, folder=str(home / "published"), name=name.replace("-", " ")), surroundings(home)
    )
    return Intake(
        checkpoint=found.checkpoint,
        n_weights=found.n_parameters,
        tensors=(len(found.loaded), len(found.missing), len(found.unexpected)),
        seconds=time.perf_counter() - start,
        gb=peak_gb(),
    )


def used(home: Path, dataset: str, checkpoint: str, n_cells: int) -> Use:
    """Load the weights and embed the first cells."""
    context = surroundings(home)
    adata = context.counts(dataset)[:n_cells].copy()
    model_class(context.workspace.checkpoint(checkpoint).model)
    start = time.perf_counter()
    model = context.model(checkpoint, "embedding")
    load_seconds, start = time.perf_counter() - start, time.process_time()
    embedding = model.embed(adata, device="cpu")
    return Use(
        load_seconds=load_seconds,
        n_tokens=float(model.n_tokens(adata).mean()),
        cpu_seconds=(time.process_time() - start) / n_cells,
        gb=peak_gb(),
        shape=embedding.shape,
        n_finite=int(np.isfinite(embedding).all(axis=1).sum()),
    )


def row(name: str, intake: Intake, use: Use) -> str:
    """Write a row of the table."""
    cells = (
        name,
        f"{intake.n_weights / 1e6:.1f}",
        " / ".join(map(str, intake.tensors)),
        f"{intake.seconds:.1f}",
        f"{intake.gb:.2f}",
        f"{use.load_seconds:.1f}",
        f"{use.n_tokens:,.0f}",
        f"{use.cpu_seconds:.1f}",
        f"{use.gb:.2f}",
        f"{' x '.join(map(str, use.shape))}, {use.n_finite} finite",
    )
    return f"| {' | '.join(cells)} |"


def limited(file: Path, name: str, options: argparse.Namespace) -> None:
    """Print how taking weights in and a map of cells end where runs may use so much memory."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        dataset = alone(opened, home, file)
        alone(written, home, dataset, name)
        few = alone(kept_few, home, dataset, options.cells)
        limit = {
            "SCVIZ_HOME": folder,
            "SCVIZ_MEMORY_GB": str(options.gb),
            "SCVIZ_THREADS": "1",
            "SCVIZ_SPARE": "0",
        }
        queue = RunQueue(Settings.from_env({**limit, "SCVIZ_DATA_ROOTS": folder}))
        try:
            asked = Request(model=name.partition("-")[0], folder=str(home / "published"), name="large")
            taken = followed(queue, "importing", asked)
            print(ending(f"{name}: take in", taken), flush=True)
            if taken.state == "done":
                of_cells = embedding.Request(dataset=few, checkpoint=taken.result.checkpoint)
                print(ending(f"{name}: map", followed(queue, "embedding", of_cells)), flush=True)
        finally:
            queue.close()
            end_engine(home)


def kept_few(home: Path, dataset: str, n_cells: int) -> str:
    """Keep the first cells as a dataset of their own; return its id."""
    context = surroundings(home)
    path = home / "few.h5ad"
    context.counts(dataset)[:n_cells].copy().write_h5ad(path)
    return open_file(path, context.workspace, name="few").id


def ending(what: str, done: Done) -> str:
    """Write a row of the table of limited runs."""
    return f"| {what} | {done.state} | {done.gigabytes:.2f} | {done.cpu:.0f} | {done.said} |"


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--models", nargs="*", choices=list(WRITERS), default=list(WRITERS))
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--gb", type=float, help="hand it in as runs that may use so much memory")
    options = parser.parse_args()
    if options.gb:
        print("| run | ended | GB | CPU s | said |\n| --- | --- | ---: | ---: | --- |", flush=True)
        for name in options.models:
            limited(options.file, name, options)
        return
    print(f"A process that has imported everything and read nothing: {alone(imports_alone):.2f} GB\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            dataset = alone(opened, home, options.file)
            alone(written, home, dataset, name)
            intake = alone(taken_in, home, name)
            use = alone(used, home, dataset, intake.checkpoint, options.cells)
            print(row(name, intake, use), flush=True)


if __name__ == "__main__":
    main()
