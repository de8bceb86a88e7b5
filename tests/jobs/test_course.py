"""How far a run is as a whole: never less than before, and all of it at the end."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import Any

import pytest
from example_tasks import counting, failing
from hypothesis import given
from hypothesis import strategies as st

from scviz.jobs.course import Course, read_events, shares_of_stages
from scviz.jobs.engine import importable
from scviz.jobs.process import Child
from scviz.jobs.queue import RunQueue
from scviz.jobs.supervisor import Tracker
from scviz.tasks import front
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.jobs.conftest import settings_for
from tests.jobs.waiting import wait_for_end, wait_until_done

STAGES = st.sampled_from(["Reading cells", "Training", "Validating", "Drawing the map"])
REPORTS = st.lists(st.tuples(STAGES, st.integers(0, 120), st.integers(0, 100)), max_size=40)
SHARES = st.dictionaries(STAGES, st.floats(0, 1)).map(
    lambda drawn: (
        {name: share / sum(drawn.values()) for name, share in drawn.items()} if sum(drawn.values()) else {}
    )
)


@given(SHARES, REPORTS)
def test_it_never_falls_whatever_the_stages_and_whatever_was_expected(
    shares: dict[str, float], reports: Sequence[tuple[str, int, int]]
) -> None:
    course, last = Course(shares), 0.0
    for stage, done, total in reports:
        fraction = course.take(stage, done, total)
        assert last <= fraction < 1
        last = fraction


def test_stages_take_the_shares_that_they_had_last_time() -> None:
    course = Course({"Reading cells": 0.1, "Training": 0.8, "Scoring": 0.1})
    assert course.take("Reading cells", 50, 100) == pytest.approx(0.05)
    assert course.take("Training", 0, 10) == pytest.approx(0.1)
    assert course.take("Training", 5, 10) == pytest.approx(0.5)
    assert course.take("Scoring", 0, 0) == pytest.approx(0.9)


def test_a_first_run_gives_each_stage_half_of_what_is_left() -> None:
    course = Course({})
    assert course.take("Reading cells", 100, 100) == 0.5
    assert course.take("Training", 1, 2) == 0.625


def event(time: float, stage: str, done: int = 0, total: int = 0) -> dict:
    return {"time": time, "stage": stage, "done": done, "total": total, "values": {}, "note": ""}


def test_the_end_is_all_of_it_and_a_failure_stays_where_it_was() -> None:
    for state, expected in (("done", 1.0), ("failed", 0.25)):
        tracker = Tracker()
        tracker.take(event(0, "Reading cells", 1, 2))
        tracker.take({"time": 1, "state": state, "message": "", "hint": ""})
        assert {**tracker.fields, **tracker.ending}["fraction"] == expected


def test_a_second_run_knows_the_stages_of_the_first(queue: RunQueue) -> None:
    for label in ("first", "second"):
        run = queue.submit("example_tasks.counting", counting.Request(total=4, label=f"course {label}")).run
        wait_until_done(queue, run)
        assert queue.get(run).fraction == 1.0
        events = read_events(queue.workspace.run_folder(run))
        assert shares_of_stages(events) == {"Counting": 1.0}


def carried_out(task: str, request: Any, opened: Opened) -> tuple[list[dict], str]:
    """Run the worker as a supervisor does; what it reported, and its log."""
    folder = opened.workspace.run_folder("real")
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps({"task": task, "request": to_json(request)}))
    env = {**os.environ, **settings_for(opened.workspace.home).as_env()}
    child = Child("real", env=importable(env), log=folder / "log.txt")
    while child.next_line(1.0) != b"":
        pass
    child.end()
    return read_events(folder), (folder / "log.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["embedding", "pretraining", "annotation"])
def test_a_real_run_rises_to_the_end_and_its_log_says_what_happened(task: str, opened: Opened) -> None:
    asked: dict[str, Any] = {"dataset": opened.dataset, "checkpoint": opened.checkpoint, "batch_size": 16}
    if task != "embedding":
        asked["epochs"] = 2
    if task == "annotation":
        asked["label_key"] = "cell_type"
    events, log = carried_out(task, front(task).Request(**asked), opened)
    assert events[-1]["state"] == "done", log
    # a first run, and one that knows this one, as if each report had taken as long: what share of the time the last
    # stage takes, and whether the last report of a stage is written, is the machine's affair
    even = shares_of_stages([{**one, "time": i} for i, one in enumerate(events)])
    for shares, least in (({}, 0.0), (even, 0.5)):
        tracker, last = Tracker(shares), 0.0
        for one in events[:-1]:
            tracker.take(one)
            assert last <= tracker.fields["fraction"] < 1
            last = tracker.fields["fraction"]
        tracker.take(events[-1])
        assert last > least
        assert {**tracker.fields, **tracker.ending}["fraction"] == 1.0
    for stage in {one["stage"] for one in events[:-1]}:
        assert f"{stage}: begins" in log
        assert re.search(rf"{re.escape(stage)}: ends after \d+\.\d s", log), stage
    for name in ("scviz", "Python", "torch", "anndata"):
        assert re.search(rf"Versions: .*{name} \d+\.\d+", log), name
    assert "Sizes: 60 cells x 200 genes (cells); checkpoint geneformer/tiny; batches of 16 cells" in log
    assert re.search(r"Ends: done\n.*Took \d+\.\d s; peak memory \d+\.\d\d GB", log)


def test_the_log_of_a_failed_run_says_what_the_user_was_told(queue: RunQueue) -> None:
    run = queue.submit("example_tasks.failing", failing.Request(how="hint", label="log")).run
    wait_for_end(queue, run)
    assert "Note: This will not end well." in queue.log(run)
    assert "Ends: failed, No matrix holds raw counts." in queue.log(run)
