"""Workers of a cluster that help with the runs of others."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client
from example_tasks import helped
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.jobs.keys import security_of
from scviz.jobs.queue import RunQueue
from scviz.tasks import embedding
from scviz.tasks.context import Context
from scviz.workspace import CheckpointInfo
from scviz.workspace.store import write_checkpoint_info
from tests.jobs.cluster import Cluster
from tests.jobs.waiting import (
    is_gone,
    processes_of,
    wait_for,
    wait_for_end,
    wait_until_done,
)

HELPED = "example_tasks.helped"
CHUNKS = ("00000.npy", "00001.npy", "00002.npy")

NewQueue = Callable[..., RunQueue]


def test_a_run_on_this_machine_has_no_helper(queue: RunQueue) -> None:
    run = queue.submit(HELPED, helped.Request(seconds=2)).run
    wait_until_done(queue, run)
    assert queue.result(run).helpers == []


@pytest.fixture
def on_cluster(new_queue: NewQueue, cluster: Cluster) -> RunQueue:
    """A queue whose runs go to a cluster of two workers."""
    queue = new_queue(**cluster.env)
    for _ in range(2):
        cluster.start_worker()
    with Client(cluster.address, set_as_default=False, security=security_of(cluster.key)) as client:
        client.wait_for_workers(2, timeout=30)
    return queue


@pytest.mark.slow
def test_the_other_worker_of_a_cluster_helps_until_the_run_has_ended(
    on_cluster: RunQueue, cluster: Cluster
) -> None:
    run = on_cluster.submit(HELPED, helped.Request()).run
    wait_until_done(on_cluster, run)
    helper, its_worker = on_cluster.result(run).helpers
    assert {its_worker, processes_of(on_cluster, run)[1]} == {
        process.pid for process in cluster.processes[1:]
    }
    wait_for(lambda: is_gone(helper), "the helper has ended", 5)


@pytest.mark.slow
def test_a_helper_that_fails_does_not_fail_the_run(on_cluster: RunQueue) -> None:
    run = on_cluster.submit(HELPED, helped.Request(fails=True, goes_on=True, seconds=8)).run
    wait_until_done(on_cluster, run)
    assert is_gone(on_cluster.result(run).helpers[0])
    log = on_cluster.workspace.run_folder(run) / "log-helper-1.txt"
    assert "This helper fails." in log.read_text()


@pytest.mark.slow
def test_a_stop_ends_the_helper_and_a_resumed_run_is_helped_again(on_cluster: RunQueue) -> None:
    run = on_cluster.submit(HELPED, helped.Request(goes_on=True, seconds=20)).run
    file = on_cluster.workspace.run_folder(run) / "state" / "helpers.txt"

    def next_helper() -> int:
        wait_for(file.exists, "somebody helps")
        helper = int(file.read_text().split()[0])
        file.unlink()
        return helper

    first = next_helper()
    on_cluster.stop(run)
    assert wait_for_end(on_cluster, run).state == "stopped"
    wait_for(lambda: is_gone(first), "the helper has ended", 5)
    on_cluster.resume(run)
    second = next_helper()
    assert not is_gone(second)
    on_cluster.stop(run)
    wait_for_end(on_cluster, run)


@pytest.fixture
def many(on_cluster: RunQueue, tmp_path: Path) -> embedding.Request:
    """Ask for the map of 2,100 cells of 20 genes, which are three chunks, one cell at a time."""
    import torch

    from scviz.datasets.readers import open_file
    from scviz.models.geneformer.model import Geneformer

    counts = np.random.default_rng(0).poisson(2.0, (2100, 20)).astype(np.float32)
    var = pd.DataFrame(index=pd.Index([f"ENSG{i:011d}" for i in range(1, 21)], dtype=object))
    obs = pd.DataFrame(index=pd.Index([f"CELL{i}" for i in range(2100)], dtype=object))
    adata = anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var)
    adata.write_h5ad(tmp_path / "many.h5ad")
    workspace = on_cluster.workspace
    torch.manual_seed(0)
    model = Geneformer.untrained(adata, "tiny")
    folder = workspace.home / "checkpoints" / "geneformer" / "tiny"
    model.save(folder)
    checkpoint = CheckpointInfo(
        id="geneformer/tiny",
        model="geneformer",
        name="Tiny",
        description="Random weights.",
        licence="none",
        n_parameters=1,
        n_genes=len(model.vocab),
        size_mb=0.1,
    )
    write_checkpoint_info(checkpoint, folder)
    dataset = open_file(tmp_path / "many.h5ad", workspace, name="many").id
    return embedding.Request(dataset=dataset, checkpoint=checkpoint.id, batch_size=1)


def alone(queue: RunQueue, request: embedding.Request) -> NDArray[np.float32]:
    """Embed in this process."""
    context = Context(workspace=queue.workspace, report=lambda _: None, folder=queue.workspace.home)
    return context.model(request.checkpoint, "embedding").embed(context.counts(request.dataset), batch_size=1)


def hold_up(cluster: Cluster, queue: RunQueue, run: str) -> psutil.Process:
    """Suspend the child that carries the run out as soon as it has begun with the first chunk."""
    wait_for(lambda: queue.events(run), "the first cell is embedded")
    children = [c for worker in cluster.processes[1:] for c in psutil.Process(worker.pid).children()]
    main = next(c for c in children if run in c.cmdline() and "--help-out" not in c.cmdline())
    main.send_signal(signal.SIGSTOP)
    return main


@pytest.mark.slow
def test_two_workers_embed_as_one_does(
    on_cluster: RunQueue, cluster: Cluster, many: embedding.Request
) -> None:
    run = on_cluster.submit("embedding", many).run
    state = on_cluster.workspace.run_folder(run) / "state"
    main = hold_up(cluster, on_cluster, run)
    wait_for(lambda: all((state / name).exists() for name in CHUNKS[1:]), "the helper embeds two chunks", 180)
    assert not (state / CHUNKS[0]).exists()
    main.send_signal(signal.SIGCONT)
    wait_for_end(on_cluster, run, seconds=300)
    wait_until_done(on_cluster, run)
    assert sorted(path.name for path in state.iterdir()) == [*CHUNKS]
    np.testing.assert_allclose(on_cluster.result(run).embedding, alone(on_cluster, many), atol=1e-5)


@pytest.mark.slow
def test_a_run_that_was_helped_and_stopped_goes_on_with_what_all_have_finished(
    on_cluster: RunQueue, cluster: Cluster, many: embedding.Request
) -> None:
    run = on_cluster.submit("embedding", many).run
    state = on_cluster.workspace.run_folder(run) / "state"
    main = hold_up(cluster, on_cluster, run)
    wait_for((state / CHUNKS[1]).exists, "the helper embeds a chunk", 180)
    main.send_signal(signal.SIGCONT)
    on_cluster.stop(run)
    assert wait_for_end(on_cluster, run).state == "stopped"
    helpers_own = (state / CHUNKS[1]).stat().st_mtime_ns
    (state / "00000.claim").touch()  # as if its owner had been killed
    on_cluster.resume(run)
    wait_for_end(on_cluster, run, seconds=300)
    wait_until_done(on_cluster, run)
    assert (state / CHUNKS[1]).stat().st_mtime_ns == helpers_own
    np.testing.assert_allclose(on_cluster.result(run).embedding, alone(on_cluster, many), atol=1e-5)
