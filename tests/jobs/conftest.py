from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)  # example_tasks, for this process
os.environ["PYTHONPATH"] = HERE  # and for those that it starts

from scviz.jobs.engine import read_engine  # noqa: E402
from scviz.jobs.queue import RunQueue  # noqa: E402
from scviz.settings import Settings  # noqa: E402
from tests.jobs.cluster import Cluster  # noqa: E402


def settings_for(home: Path, **env: str) -> Settings:
    return Settings.from_env({"SCVIZ_HOME": str(home), "SCVIZ_SPARE": "0", **env})


def end_engine(home: Path) -> None:
    if engine := read_engine(home):
        with suppress(ProcessLookupError):
            os.kill(engine.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunQueue]:
    """One engine for all tests that leave it alone."""
    home = tmp_path_factory.mktemp("jobs")
    queue = RunQueue(settings_for(home, SCVIZ_MEMORY_GB="2"))
    yield queue
    queue.close()
    end_engine(home)


@pytest.fixture
def new_queue(tmp_path: Path) -> Iterator[Callable[..., RunQueue]]:
    """Queues on a workspace and an engine of the test's own; two of them are two web servers."""
    queues: list[RunQueue] = []

    def make(**env: str) -> RunQueue:
        queues.append(RunQueue(settings_for(tmp_path, **env)))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()
    end_engine(tmp_path)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    for process in cluster.processes:
        process.kill()
        process.wait()
