"""A Dask cluster by Slurm on which scviz computes, with TLS: `python deploy/slurm/cluster.py KEY --jobs 4`.

KEY is a folder that `python -m scviz cluster-key KEY` has made. Each job is a worker of one process, which carries two
runs at a time. It stays until it is interrupted; then its jobs end, and their runs can be resumed. With `--local` the
workers are processes of this machine: the same without Slurm, by which it is tested.
"""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from scviz.jobs.engine import importable
from scviz.jobs.keys import security_of

AT_A_TIME = 2
"""Runs of one worker."""


def slurm_cluster(options: argparse.Namespace) -> Any:
    """Return a cluster whose workers are jobs; none is handed in yet."""
    from dask_jobqueue import SLURMCluster

    env = importable({"OMP_NUM_THREADS": str(max(1, options.cores // AT_A_TIME))})
    return SLURMCluster(
        queue=options.partition,
        account=options.account,
        cores=AT_A_TIME,
        job_cpu=options.cores,
        processes=1,
        memory=f"{options.memory_gb}GiB",
        walltime=options.hours,
        nanny=False,
        protocol="tls://",
        security=security_of(options.key),
        python=sys.executable,
        local_directory=options.scratch,
        interface=options.interface,
        job_script_prologue=[f"export {name}={quote(value)}" for name, value in env.items()],
        worker_extra_args=["--memory-limit", "0", "--no-dashboard"],
        scheduler_options={"port": options.port, "dashboard": False},
    )


def local_cluster(options: argparse.Namespace) -> Any:
    """Return a cluster whose workers are processes of this machine."""
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=0,
        threads_per_worker=AT_A_TIME,
        processes=True,
        memory_limit=0,
        protocol="tls://",
        security=security_of(options.key),
        host="127.0.0.1",
        scheduler_port=options.port,
        dashboard_address=None,
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("key", type=lambda text: Path(text).absolute())
    parser.add_argument("--jobs", type=int, default=2, help="workers")
    parser.add_argument("--cores", type=int, default=8, help="of a job")
    parser.add_argument("--memory-gb", type=int, default=32, help="of a job")
    parser.add_argument("--hours", default="12:00:00", help="that a job may take")
    parser.add_argument("--partition")
    parser.add_argument("--account")
    parser.add_argument("--interface", help="network that all machines share, such as ib0")
    parser.add_argument("--scratch", default="/tmp", help="folder on the machine of a job")
    parser.add_argument("--port", type=int, default=8786, help="of the scheduler, on this machine")
    parser.add_argument("--local", action="store_true", help="workers on this machine, without Slurm")
    return parser.parse_args(arguments)


def main() -> None:
    """Hold the cluster until it is interrupted."""
    options = parse()
    with (local_cluster if options.local else slurm_cluster)(options) as cluster:
        cluster.scale(options.jobs)
        sys.stdout.write(
            f"SCVIZ_SCHEDULER={cluster.scheduler_address} SCVIZ_SCHEDULER_KEY={options.key} python -m scviz serve\n"
        )
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":  # needed: workers import this file again
    main()
