"""Embed 20,000 cells on one worker of a TLS cluster, on two, and on two of which one is killed on the way.

    python -m benchmarks.fan_out [--cells N]

Each worker is a process of this machine and computes with one thread. Counted is the time from the first embedded
cells to the last; the map that is drawn from them is made by one worker in any case, and left out here.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)

import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from distributed import Client  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

from benchmarks.fault_cases import keep_model  # noqa: E402
from scviz.datasets.readers import open_file  # noqa: E402
from scviz.jobs.keys import security_of  # noqa: E402
from scviz.jobs.processes import read_processes  # noqa: E402
from scviz.jobs.queue import RunQueue  # noqa: E402
from scviz.settings import Settings  # noqa: E402
from scviz.tasks import embedding  # noqa: E402
from tests.jobs.cluster import Cluster  # noqa: E402

N_GENES = 60


def make_cells(file: Path, n_cells: int) -> None:
    """Write cells of counts that follow no plan."""
    counts = np.random.default_rng(0).poisson(1.5, (n_cells, N_GENES)).astype(np.float32)
    var = pd.DataFrame(index=pd.Index([f"ENSG{i:011d}" for i in range(1, N_GENES + 1)], dtype=object))
    obs = pd.DataFrame(index=pd.Index([f"CELL{i}" for i in range(n_cells)], dtype=object))
    anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var).write_h5ad(file)


def embedded(
    queue: RunQueue, request: embedding.Request, cluster: Cluster, *, kill: bool = False
) -> tuple[float, list[np.ndarray]]:
    """Embed the cells; return the seconds that took, and the pieces, each (n, C)."""
    run = queue.submit("embedding", request, again=True).run
    state = queue.workspace.run_folder(run) / "state"
    n_chunks = -(-queue.workspace.dataset(request.dataset).n_cells // 1000)
    begun = 0.0
    while len(list(state.glob("*.npy"))) < n_chunks:
        if not begun and any(event["done"] for event in queue.events(run)):
            begun = time.monotonic()
        if kill and len(list(state.glob("*.npy"))) >= n_chunks // 4:
            known = read_processes(queue.workspace.run_folder(run))
            helper = next(
                one for one in cluster.processes[1:] if one.poll() is None and one.pid != known.watcher
            )
            helper.send_signal(signal.SIGKILL)
            kill = False
        row = queue.get(run)
        if row.ended and row.state != "done":
            raise RuntimeError(row.message)
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    queue.stop(run)
    while not queue.get(run).ended:
        time.sleep(0.1)
    return seconds, [np.load(path) for path in sorted(state.glob("*.npy"))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=20_000)
    options = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="scviz-fan-out-") as folder:
        cluster = Cluster(Path(folder))
        own = {"SCVIZ_HOME": str(Path(folder) / "home"), "SCVIZ_THREADS": "1", **cluster.env}
        queue = RunQueue(Settings.from_env(own))
        try:
            make_cells(Path(folder) / "cells.h5ad", options.cells)
            dataset = open_file(Path(folder) / "cells.h5ad", queue.workspace, name="cells").id
            model = keep_model(queue.workspace, "geneformer", Path(folder) / "cells.h5ad")
            request = embedding.Request(dataset=dataset, checkpoint=model, batch_size=8)
            cluster.start_worker()
            one, alone = embedded(queue, request, cluster)
            cluster.start_worker()
            with Client(cluster.address, set_as_default=False, security=security_of(cluster.key)) as client:
                client.wait_for_workers(2, timeout=60)
            two, together = embedded(queue, request, cluster)
            broken, left = embedded(queue, request, cluster, kill=True)
        finally:
            queue.close()
            for process in cluster.processes:
                process.kill()
                process.wait()
    print(f"{options.cells:,} cells, one worker   {one:6.1f} s")
    print(
        f"two workers            {two:6.1f} s, {one / two:.2f} times as fast, equal: {equal(alone, together)}"
    )
    print(f"two, one of them killed{broken:6.1f} s, equal: {equal(alone, left)}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} at the end")


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether all pieces are equal to the last bit."""
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    main()
