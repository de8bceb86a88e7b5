"""A network that is cut between a cluster's scheduler and its workers, or between a scheduler and the web side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from example_tasks import counting

from scviz.jobs.queue import RunQueue
from scviz.jobs.signs import NO_WORKER
from scviz.jobs.supervisor import CUT_OFF
from tests.faults.wire import await_workers, start_far_worker
from tests.jobs.cluster import Cluster
from tests.jobs.waiting import processes_of, wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


def begun(queue: RunQueue, total: int) -> str:
    run = queue.submit(COUNTING, counting.Request(total=total)).run
    wait_for_units(queue, run, 3)
    return run


@pytest.mark.slow
def test_a_run_of_a_worker_that_is_cut_off_is_lost_and_goes_on_elsewhere(
    new_queue: NewQueue, cluster: Cluster
) -> None:
    queue = new_queue(**cluster.env)
    wire, far = start_far_worker(cluster)
    run = begun(queue, 200)
    assert processes_of(queue, run)[1] == far.pid
    near = cluster.start_worker()
    await_workers(cluster, 2)
    wire.cut()
    assert wait_for_end(queue, run, 60).message == CUT_OFF
    queue.resume(run)
    wait_for(lambda: processes_of(queue, run)[1] == near.pid, "the other worker goes on with it", 60)
    wait_until_done(queue, run)


@pytest.mark.slow
def test_a_run_of_the_only_worker_goes_on_without_a_scheduler_and_the_next_one_says_that_it_waits(
    new_queue: NewQueue, cluster: Cluster
) -> None:
    queue = new_queue(**cluster.env)
    wire, _ = start_far_worker(cluster)
    run = begun(queue, 60)
    wire.cut()
    wait_until_done(queue, run)
    assert queue.get(run).attempt == 1
    waits = queue.submit(COUNTING, counting.Request(total=3)).run
    wait_for(lambda: queue.trouble(queue.get(waits)) == NO_WORKER, "why it waits is told", 60)
    assert queue.get(waits).state == "queued"
    cluster.start_worker()
    wait_until_done(queue, waits)
    assert queue.trouble(queue.get(waits)) == ""


@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_named_while_runs_wait_for_it(
    new_queue: NewQueue, cluster: Cluster
) -> None:
    queue = new_queue(**cluster.env)
    waits = queue.submit(COUNTING, counting.Request(total=3)).run
    cluster.processes[0].kill()
    said = f"The scheduler at {cluster.address} does not answer."
    wait_for(lambda: queue.trouble(queue.get(waits)) == said, "why it waits is told", 90)
    assert queue.get(waits).state == "queued"
