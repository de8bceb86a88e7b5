"""Without an HTTP port a scheduler and its worker still start and end in order."""

from __future__ import annotations

import asyncio
import importlib

import pytest
from distributed import Scheduler, Worker
from distributed.core import Status
from distributed.node import ServerNode

from tests.own_loop import carried_out


async def started_and_ended() -> tuple[int, Status, Status]:
    scheduler = await Scheduler(host="127.0.0.1", port=0, dashboard=False)
    worker = await Worker(scheduler.address, nthreads=1, host="127.0.0.1")
    port = scheduler.http_server.port
    await asyncio.wait_for(worker.close(), 30)
    await asyncio.wait_for(scheduler.close(), 30)
    return port, worker.status, scheduler.status


def test_a_scheduler_and_a_worker_without_http_end_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerNode, "start_http_server", ServerNode.start_http_server)  # put back afterward
    importlib.reload(importlib.import_module("scviz.jobs.no_http"))
    assert carried_out(started_and_ended()) == (0, Status.closed, Status.closed)
