"""The cluster by Slurm: the jobs that would be handed in, and the same cluster with its workers on this machine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from distributed import Client
from example_tasks import helped

from scviz.jobs.engine import importable
from scviz.jobs.keys import make_key, security_of
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT
from tests.jobs.waiting import wait_until_done

SCRIPT = ROOT / "deploy" / "slurm" / "cluster.py"
NewQueue = Callable[..., RunQueue]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def local(key: Path) -> Iterator[dict[str, str]]:
    """Two workers on this machine, started by the script; what it prints are settings."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(key), "--local", "--jobs", "2", "--port", "0"],
        env=importable(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline().split()
    yield dict(word.split("=", 1) for word in said if word.startswith("SCVIZ_"))
    process.terminate()
    process.wait(60)
    process.stdout.close()


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("slurm_cluster", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_run_is_shared_out_over_two_tls_workers_that_the_script_has_started(
    local: dict[str, str], key: Path, new_queue: NewQueue
) -> None:
    assert local["SCVIZ_SCHEDULER"].startswith("tls://")
    queue = new_queue(**local)
    with Client(local["SCVIZ_SCHEDULER"], security=security_of(key), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        workers = set(client.run(os.getpid).values())
    run = queue.submit("example_tasks.helped", helped.Request()).run
    wait_until_done(queue, run)
    _, its_worker = queue.result(run).helpers
    assert its_worker in workers


def test_the_jobs_of_slurm_are_workers_with_the_key(key: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue, which writes the jobs, is not installed")
    module = script()
    asked = [str(key), "--partition", "cpu", "--cores", "16", "--memory-gb", "64", "--port", "0"]
    with module.slurm_cluster(module.parse(asked)) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        job = cluster.job_script()
    for line in (
        "#SBATCH -p cpu",
        "#SBATCH --cpus-per-task=16",
        "#SBATCH --mem=64G",
        "export OMP_NUM_THREADS=8",
    ):
        assert line in job
    for option in ("--no-nanny", f"--tls-key {key}/key.pem", "--nthreads 2", "--protocol tls://"):
        assert option in job
