"""Lines of runs: short work beside long, places by owner, one brought forward, when each starts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from example_tasks import counting

from scviz.jobs.lines import HEAVY, LIGHT, QUICK, SHORT, brought_forward, line_of, next_place, waits
from scviz.jobs.queue import RunQueue
from scviz.jobs.scheduler import resources_of
from scviz.tasks import pricing
from scviz.tasks.price import Price
from scviz.workspace.database import Run
from tests.jobs.waiting import wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


def estimate(seconds: float, gigabytes: float = 0.5, available_gb: float = 4.0) -> pricing.Result:
    return pricing.Result(
        price=Price(seconds=seconds, gigabytes=gigabytes, how="a trial"), available_gb=available_gb
    )


def waiting(name: str, place: float, owner: str = "local", **more: object) -> Run:
    return Run(id=name, task=COUNTING, line=HEAVY, place=place, owner=owner, **more)  # type: ignore[arg-type]


def at_work(name: str = "work", **more: object) -> Run:
    return Run(id=name, task=COUNTING, line=HEAVY, place=1.0, state="running", started=time.time(), **more)  # type: ignore[arg-type]


def test_a_run_is_short_only_if_an_estimate_says_that_it_is_soon_done_and_small() -> None:
    assert line_of("qc", None) == LIGHT
    assert line_of("pricing", None) == QUICK
    assert line_of("embedding", None) == HEAVY
    assert line_of("embedding", estimate(29)) == SHORT
    assert line_of("embedding", estimate(31)) == HEAVY
    assert line_of("embedding", estimate(5, gigabytes=1.1)) == HEAVY, "more than a quarter of what is free"


def test_owners_take_turns() -> None:
    line = [at_work(owner="ada"), waiting("a2", 2.0, "ada"), waiting("a3", 3.0, "ada")]
    assert next_place(line, "ben") == 2.0, "behind the first of ada's that wait, before the second"
    assert next_place(line, "ada") == 4.0
    assert next_place([], "ben") == 1.0


def test_runs_of_others_keep_their_places_when_one_is_brought_forward() -> None:
    line = [waiting("a1", 1.0, "ada"), waiting("b1", 2.0, "ben"), waiting("a2", 3.0, "ada")]
    assert brought_forward(line, line[2]) == {"a2": 1.0, "a1": 3.0}
    assert brought_forward(line, line[0]) == {}


def test_place_and_start_follow_from_estimates_and_what_nobody_knows_stays_unknown() -> None:
    line = [at_work(expected=100.0), waiting("a", 2.0, expected=40.0), waiting("b", 3.0), waiting("c", 4.0)]
    found = waits(line, workers=1)
    assert [found[name].place for name in "abc"] == [1, 2, 3]
    assert [found[name].own_before for name in "abc"] == [0, 1, 2]
    assert round(found["a"].seconds or 0) == 100
    assert round(found["b"].seconds or 0) == 140
    assert found["c"].seconds is None, "nobody has estimated b"
    assert waits([at_work(), waiting("a", 2.0)], workers=1)["a"].seconds is None
    assert waits([at_work(), waiting("a", 2.0)], workers=2)["a"].seconds == 0.0


def test_light_and_short_runs_get_done_while_a_long_one_is_at_work(new_queue: NewQueue) -> None:
    queue = new_queue()
    long = queue.submit(COUNTING, counting.Request(total=2000, label="long")).run
    wait_for_units(queue, long, 1)
    unknown = queue.submit(COUNTING, counting.Request(total=2, label="nobody has asked")).run
    short = counting.Request(total=3, label="short")
    priced = queue.submit("pricing", pricing.question(COUNTING, short)).run
    wait_until_done(queue, priced)
    run = queue.submit(COUNTING, short).run
    wait_until_done(queue, run)
    assert (queue.get(run).line, queue.get(run).expected) == (SHORT, queue.result(priced).price.seconds)
    assert queue.get(long).state == "running"
    assert (queue.get(unknown).state, queue.get(unknown).line) == ("queued", HEAVY)
    for one in (unknown, long):
        queue.stop(one)
        wait_for_end(queue, one)


def test_what_workers_offer_is_asked_of_the_scheduler_and_not_remembered(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_queue().connection.client()
    client.scheduler_info(n_workers=0)  # as its callback does every two seconds, at any moment
    monkeypatch.setattr(client, "scheduler_info", lambda: client._scheduler_identity)
    assert client.scheduler_info()["workers"] == {}
    assert resources_of(client, HEAVY) == {HEAVY: 1}
    assert resources_of(client, LIGHT) == {LIGHT: 1}


def test_a_run_brought_forward_starts_first_and_can_be_stopped_and_resumed(new_queue: NewQueue) -> None:
    queue = new_queue()
    long = queue.submit(COUNTING, counting.Request(total=2000, label="long")).run
    wait_for_units(queue, long, 1)
    first, second, third = (
        queue.submit(COUNTING, counting.Request(total=2, label=label)).run for label in "abc"
    )
    assert [queue.waits()[run].place for run in (first, second, third)] == [1, 2, 3]
    queue.stop(second)
    queue.resume(second)
    assert [queue.waits()[run].place for run in (first, third, second)] == [1, 2, 3], "it goes to the end"
    queue.bring_forward(second)
    queue.bring_forward(second)
    assert [queue.waits()[run].place for run in (second, first, third)] == [1, 2, 3]
    queue.stop(long)
    for run in (first, second, third):
        wait_until_done(queue, run)
    begun = [queue.get(run).started for run in (second, first, third)]
    assert begun == sorted(begun)
    assert all(queue.events(run)[-1]["done"] == 2 for run in (first, second, third))
    assert queue.result(second).counted_now == 2, "it was carried out once"


def test_runs_that_wait_are_lost_with_their_engine_also_when_brought_forward(new_queue: NewQueue) -> None:
    queue = new_queue()
    long = queue.submit(COUNTING, counting.Request(total=2000, label="long")).run
    wait_for_units(queue, long, 1)
    runs = [queue.submit(COUNTING, counting.Request(total=2, label=label)).run for label in "ab"]
    queue.bring_forward(runs[1])
    queue.database.update(runs[1], heartbeat=0.0)
    queue.get(runs[1])  # looks for it
    assert queue.get(runs[1]).state == "queued", "the engine knows it"
    queue.stop(long)
    wait_for(lambda: all(queue.get(run).state == "done" for run in runs), "both are carried out")
