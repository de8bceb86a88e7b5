"""Embed 20,000 cells on one worker of a TLS cluster, on two, and on two of which one is killed on the way.

    python -m benchmarks.fan_out [--cells N]

The model is the small Geneformer of blood that comes with the project; each cell has counts of some of its genes.
Each worker is a process of this machine and computes with one thread. Counted is the time from the first embedded
cells to the last; the map that is drawn from them is made by one worker in any case, and left out here. Where other
work shares the cores, the clock says little: the processor time that the busiest process took says how long the same
would last if each had a core of its own.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)

import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import psutil  # noqa: E402
from distributed import Client  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

from scviz.datasets.readers import open_file  # noqa: E402
from scviz.foundation.vocab import GeneVocab  # noqa: E402
from scviz.jobs.keys import security_of  # noqa: E402
from scviz.jobs.queue import RunQueue  # noqa: E402
from scviz.settings import Settings  # noqa: E402
from scviz.tasks import embedding  # noqa: E402
from tests.jobs.cluster import Cluster  # noqa: E402

MODEL = "geneformer/geneformer-blood"
N_GENES, MEAN = 400, 1.0
"""Genes of the cells, and the mean of their counts: some 250 of them are seen in each cell."""
CHUNK = 1000
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What one run took and gave."""

    seconds: float
    cpu: tuple[float, ...]
    """Processor time of each process that computed, the busiest first."""
    pieces: list[np.ndarray]
    """(n, C) each."""


def make_cells(file: Path, n_cells: int, genes: list[str]) -> None:
    """Write cells of counts that follow no plan."""
    counts = np.random.default_rng(0).poisson(MEAN, (n_cells, len(genes))).astype(np.float32)
    var = pd.DataFrame(index=pd.Index(genes, dtype=object))
    obs = pd.DataFrame(index=pd.Index([f"CELL{i}" for i in range(n_cells)], dtype=object))
    anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var).write_h5ad(file)


def computing(cluster: Cluster, run: str) -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """List the processes that embed, each with the worker that watches it."""
    for worker in cluster.processes[1:]:
        with suppress(psutil.Error):
            watcher = psutil.Process(worker.pid)
            for child in watcher.children():
                if run in child.cmdline():
                    yield watcher, child


class Clock:
    """Sums the processor time of all that compute for a run, from now on."""

    def __init__(self, cluster: Cluster, run: str) -> None:
        self._cluster, self._run = cluster, run
        self._begun, self._taken = time.monotonic(), {child.pid: 0.0 for _, child in computing(cluster, run)}
        self._before = self._now()

    def _now(self) -> dict[int, float]:
        found = {}
        for _, child in computing(self._cluster, self._run):
            with suppress(psutil.Error):
                found[child.pid] = sum(child.cpu_times()[:2])
        return found

    def look(self) -> None:
        """Take note, as long as they live."""
        for pid, cpu in self._now().items():
            self._taken[pid] = cpu - self._before.get(pid, 0.0)

    def stop(self) -> tuple[float, tuple[float, ...]]:
        """Return the seconds since it began, and the processor time of each process."""
        self.look()
        return time.monotonic() - self._begun, tuple(sorted(self._taken.values(), reverse=True))


def kill_helper(cluster: Cluster, run: str) -> bool:
    """Kill the worker whose process helps, as a machine that goes away does; tell whether there was one."""
    for watcher, child in computing(cluster, run):
        if "--help-out" in child.cmdline():
            watcher.send_signal(signal.SIGKILL)
            return True
    return False


def embedded(
    queue: RunQueue, request: embedding.Request, cluster: Cluster, *, kill: bool = False
) -> Embedded:
    """Embed the cells, and kill one of two workers when a quarter is done if that is asked."""
    run = queue.submit("embedding", request, again=True).run
    state = queue.workspace.run_folder(run) / "state"
    n_chunks = -(-queue.workspace.dataset(request.dataset).n_cells // CHUNK)
    clock = None
    while (n_done := len(list(state.glob("*.npy")))) < n_chunks:
        if clock is None and any(event["done"] for event in queue.events(run)):
            clock = Clock(cluster, run)
        if clock is not None:
            clock.look()
        if kill and n_done >= max(1, n_chunks // 4):
            kill = not kill_helper(cluster, run)
        row = queue.get(run)
        if row.ended and row.state != "done":
            raise RuntimeError(row.message)
        time.sleep(LOOK_SECONDS)
    if clock is None or kill:
        raise RuntimeError("These are too few cells to see anything: all was done before the first look.")
    seconds, cpu = clock.stop()
    queue.stop(run)
    while not queue.get(run).ended:
        time.sleep(LOOK_SECONDS)
    pieces = [np.load(path) for path in sorted(state.glob("*.npy"))]
    return Embedded(seconds=seconds, cpu=cpu, pieces=pieces)


def genes_of_model(queue: RunQueue) -> list[str]:
    """Take some genes that the model knows."""
    known = GeneVocab.load(queue.workspace.checkpoint_folder(MODEL) / "vocab.json")
    return list(
        np.random.default_rng(0).choice([gene for gene in known.genes if gene], N_GENES, replace=False)
    )


def measured(folder: Path, n_cells: int) -> list[Embedded]:
    """Embed with one worker, with two, and with two of which one is killed."""
    cluster = Cluster(folder)
    own = {"SCVIZ_HOME": str(folder / "home"), "SCVIZ_THREADS": "1", **cluster.env}
    queue = RunQueue(Settings.from_env(own))
    try:
        make_cells(folder / "cells.h5ad", n_cells, genes_of_model(queue))
        dataset = open_file(folder / "cells.h5ad", queue.workspace, name="cells").id
        request = embedding.Request(dataset=dataset, checkpoint=MODEL, batch_size=64)
        cluster.start_worker()
        found = [embedded(queue, request, cluster)]
        cluster.start_worker()
        with Client(cluster.address, set_as_default=False, security=security_of(cluster.key)) as client:
            client.wait_for_workers(2, timeout=60)
        found.append(embedded(queue, request, cluster))
        found.append(embedded(queue, request, cluster, kill=True))
    finally:
        queue.close()
        for process in cluster.processes:
            process.kill()
            process.wait()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=20_000)
    options = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="scviz-fan-out-") as folder:
        found = measured(Path(folder), options.cells)
    alone = found[0]
    print(f"{options.cells:,} cells, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end\n")
    print("| workers | seconds | times as fast | CPU s of each process | times as fast by CPU | equal |")
    print("| --- | ---: | ---: | --- | ---: | --- |")
    for words, one in zip(("one", "two", "two, one killed"), found, strict=True):
        of_each = ", ".join(f"{cpu:.1f}" for cpu in one.cpu)
        print(
            f"| {words} | {one.seconds:.1f} | {alone.seconds / one.seconds:.2f} | {of_each} "
            f"| {alone.cpu[0] / one.cpu[0]:.2f} | {equal(alone.pieces, one.pieces)} |"
        )


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether all pieces are equal to the last bit."""
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    main()
