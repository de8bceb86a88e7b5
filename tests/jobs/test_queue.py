"""Runs that are handed in, watched, stopped and resumed, on a real engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from example_tasks import counting, failing

from scviz.errors import JobError, RequestError
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT
from scviz.tasks import front
from tests.jobs.waiting import is_gone, processes_of, wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING, FAILING = "example_tasks.counting", "example_tasks.failing"


def work_of(queue: RunQueue, run: str) -> list[int]:
    return [int(line) for line in (queue.workspace.run_folder(run) / "work.txt").read_text().split()]


def test_a_run_goes_from_queued_to_done_and_its_result_can_be_read(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=20, label="plain")).run
    wait_for_units(queue, run, 1)
    ended = wait_for_end(queue, run)
    assert (ended.state, ended.stage, ended.done, ended.total) == ("done", "Counting", 20, 20)
    assert ended.created <= ended.started <= ended.ended
    assert ended.rate == pytest.approx(20, rel=0.5)
    assert queue.result(run).squares.tolist() == [n**2 for n in range(20)]
    assert queue.request(run) == counting.Request(total=20, label="plain")


def test_an_equal_request_is_answered_by_the_finished_run(queue: RunQueue) -> None:
    request = counting.Request(total=2, label="equal")
    first = queue.submit(COUNTING, request)
    wait_for_end(queue, first.run)
    second, third = queue.submit(COUNTING, request), queue.submit(COUNTING, request, again=True)
    assert (second.run, second.cached) == (first.run, True)
    assert (third.run != first.run, third.cached) == (True, False)


def test_an_equal_request_is_answered_by_the_open_run(queue: RunQueue) -> None:
    request = counting.Request(total=200, label="double click")
    first, second = queue.submit(COUNTING, request), queue.submit(COUNTING, request)
    assert (second.run, second.cached) == (first.run, True)
    queue.stop(first.run)
    wait_for_end(queue, first.run)


def test_an_equal_request_of_another_owner_is_a_run_of_its_own(queue: RunQueue) -> None:
    request = counting.Request(total=1, label="two owners")
    mine, theirs = queue.submit(COUNTING, request, "ada"), queue.submit(COUNTING, request, "ben")
    assert mine.run != theirs.run
    assert [row.id for row in queue.runs(owner="ben")] == [theirs.run]


def test_a_stop_halts_within_a_batch_and_a_resume_goes_on_from_there(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=50, label="stop")).run
    wait_for_units(queue, run, 5)
    asked = time.monotonic()
    queue.stop(run)
    assert wait_for_end(queue, run).state == "stopped"
    assert time.monotonic() - asked < 3
    before = work_of(queue, run)
    assert 5 <= len(before) < 50
    queue.resume(run)
    ended = wait_for_end(queue, run)
    assert (ended.state, ended.attempt) == ("done", 2)
    assert work_of(queue, run) == list(range(50))
    assert queue.result(run).counted_now == 50 - len(before)


def test_a_run_that_does_not_listen_is_killed(queue: RunQueue) -> None:
    run = queue.submit(FAILING, failing.Request(how="deaf")).run
    wait_for(lambda: queue.get(run).note, "the run is under way")
    asked = time.monotonic()
    queue.stop(run)
    assert wait_for_end(queue, run).state == "stopped"
    assert time.monotonic() - asked < 6


def test_a_stop_ends_what_the_run_has_started(queue: RunQueue) -> None:
    run = queue.submit(FAILING, failing.Request(how="family")).run
    file = queue.workspace.run_folder(run) / "helper.txt"
    wait_for(lambda: file.exists() and file.read_text(), "the helper runs")
    queue.stop(run)
    wait_for_end(queue, run)
    wait_for(lambda: is_gone(int(file.read_text())), "the helper is gone", 5)


def test_a_run_that_waits_can_be_stopped_before_it_begins(queue: RunQueue) -> None:
    running = queue.submit(COUNTING, counting.Request(total=400, label="in front")).run
    wait_for_units(queue, running, 1)
    waiting = queue.submit(COUNTING, counting.Request(label="behind")).run
    assert queue.get(waiting).state == "queued"
    queue.stop(waiting)
    assert queue.get(waiting).state == "stopped"
    queue.stop(running)
    wait_for_end(queue, running)
    assert not (queue.workspace.run_folder(waiting) / "work.txt").exists()


def test_a_light_run_goes_on_beside_a_heavy_one(queue: RunQueue) -> None:
    heavy = queue.submit(COUNTING, counting.Request(total=400, label="heavy")).run
    wait_for_units(queue, heavy, 1)
    light = queue.submit(FAILING, failing.Request(how="hint", label="light")).run
    wait_for_end(queue, light)
    assert queue.get(heavy).state == "running"
    queue.stop(heavy)
    wait_for_end(queue, heavy)


@pytest.mark.parametrize(
    ("how", "message", "hint"),
    [
        ("hint", "No matrix holds raw counts.", "Open another file."),
        ("bug", "Something inside scviz went wrong: KeyError: 'louvain'", "log"),
        (
            "memory",
            "Memory ran out: the run needed more than the 2.0 GB it may use (that is what SCVIZ_MEMORY_GB allows).",
            "smaller batch size",
        ),
        ("abort", "Memory ran out: the run needed more than the 2.0 GB it may use", "smaller batch size"),
        ("exit", "The worker process ended too early, with exit code 3.", "log"),
    ],
)
def test_a_failing_run_says_why_and_what_to_do(queue: RunQueue, how: str, message: str, hint: str) -> None:
    run = queue.submit(FAILING, failing.Request(how=how)).run  # type: ignore[arg-type]
    ended = wait_for_end(queue, run)
    assert ended.state == "failed"
    assert ended.message.startswith(message)
    assert hint in ended.hint
    assert ended.note == "This will not end well."
    assert ("Traceback" in queue.log(run)) == (how not in ("exit", "abort"))
    with pytest.raises(JobError, match="has no result; it is failed"):
        queue.result(run)


def test_a_killed_child_is_told_and_can_be_resumed(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=40, label="killed")).run
    wait_for_units(queue, run, 3)
    os.kill(processes_of(queue, run)[0], 9)
    ended = wait_for_end(queue, run, seconds=3)
    assert ended.state == "lost"
    assert ended.message == "The worker process was ended by signal 9, most often because memory ran out."
    assert "Resume" in ended.hint
    queue.resume(run)
    wait_until_done(queue, run)
    assert sorted(set(work_of(queue, run))) == list(range(40))


def test_a_run_survives_the_web_server_that_handed_it_in(queue: RunQueue) -> None:
    code = (
        "from example_tasks import counting; from scviz.jobs.queue import RunQueue;"
        "from scviz.settings import Settings; queue = RunQueue(Settings.from_env());"
        f"print(queue.submit({COUNTING!r}, counting.Request(total=60, label='web')).run)"
    )
    env = {**os.environ, "SCVIZ_HOME": str(queue.settings.home)}
    env["PYTHONPATH"] = os.pathsep.join((str(ROOT), env["PYTHONPATH"]))
    web = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    run = web.stdout.strip()
    assert queue.get(run).state in ("queued", "running")
    wait_until_done(queue, run)
    assert queue.result(run).counted_now == 60


def test_events_tell_the_course_of_a_run(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=10, seconds=0.01, label="events")).run
    wait_for_end(queue, run)
    events = queue.events(run)
    assert events[0]["stage"] == "Estimating time and memory", "which the limit of this queue asks for"
    assert (events[1]["done"], events[-1]["done"]) == (1, 10)
    assert len(events) < 10
    assert events[0].keys() == {"time", "stage", "done", "total", "values", "note"}


def test_half_an_event_is_no_event(queue: RunQueue) -> None:
    folder = queue.workspace.run_folder("torn")
    folder.mkdir()
    (folder / "events.jsonl").write_text('{"stage": "A"}\n{"stage": "B", "val\n{"stage": "C"}\n{"sta')
    assert [event["stage"] for event in queue.events("torn")] == ["A", "C"]


def test_a_deleted_run_leaves_nothing(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=1, label="deleted")).run
    wait_for_end(queue, run)
    queue.delete(run)
    assert not queue.workspace.run_folder(run).exists()
    with pytest.raises(JobError, match="There is no run"):
        queue.get(run)


def test_an_open_run_is_not_deleted(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=200, label="open")).run
    with pytest.raises(JobError, match="is still"):
        queue.delete(run)
    queue.stop(run)
    wait_for_end(queue, run)


def test_a_done_run_is_not_resumed(queue: RunQueue) -> None:
    run = queue.submit(COUNTING, counting.Request(total=1, label="done")).run
    wait_for_end(queue, run)
    queue.resume(run)
    assert (queue.get(run).state, queue.get(run).attempt) == ("done", 1)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(RequestError, match="no task 'cooking'"):
        front("cooking")
