"""What is refused by its price: in the queue where it is known, else before the task begins."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from example_tasks import counting

from scviz.errors import LimitError, OutOfMemoryError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.jobs.worker import execute
from scviz.memory import Room
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import pricing, question_id
from scviz.tasks.price import Price
from scviz.workspace import audit
from scviz.workspace.database import Run
from scviz.workspace.limits import seconds_of
from scviz.workspace.people import Person
from scviz.workspace.records import to_json, write_record
from tests.jobs.conftest import settings_for
from tests.jobs.waiting import wait_for_end

COUNTING = "example_tasks.counting"
ADA = Person(issuer="https://id", subject="ada")
ROOMY = Room(gigabytes=64.0, why="that is a test")
DAY = 86_400.0


def said_price(queue: RunQueue, request: counting.Request, *, hours: float = 0.0, gb: float = 0.1) -> None:
    """Keep an estimate, as the page has it made before somebody presses Run."""
    asked = to_json(pricing.question(COUNTING, request))
    price = Price(seconds=3600 * hours, gigabytes=gb, how="a trial")
    write_record(
        pricing.Result(price=price, available_gb=64.0), queue.workspace.run_folder("price") / "result"
    )
    row = Run(
        id="price",
        task="pricing",
        request=asked,
        fingerprint=question_id("pricing", asked),
        owner=ADA.id,
        state="done",
    )
    queue.database.add(row)


def computed(queue: RunQueue, run: str, *, hours: float, ago: float = 0.0, state: str = "stopped") -> None:
    """Let a run have been at work for some hours until some time ago."""
    end = time.time() - ago
    queue.database.update(run, state=state, started=end - 3600 * hours, ended=end)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"SCVIZ_MEMORY_GB": "2"},
            "This run needs about 3.50 GB of memory, and a run may use 2.00 GB here: that is what SCVIZ_MEMORY_GB "
            "allows.",
        ),
        (
            {"SCVIZ_PERSON_LIMITS": "memory=1.5"},
            "This run needs about 3.50 GB of memory, and a run may use 1.50 GB here: that is what SCVIZ_PERSON_LIMITS "
            "allows.",
        ),
        (
            {"SCVIZ_PERSON_LIMITS": "hours=2"},
            "You have used 0.0 hours of computing within a day, of 2; this run takes about 2.5.",
        ),
        (
            {"SCVIZ_SERVER_LIMITS": "hours=2"},
            "This server has used 0.0 hours of computing within a day, of 2; this run takes about 2.5.",
        ),
    ],
)
def test_a_run_whose_price_goes_beyond_a_limit_is_refused_and_leaves_nothing(
    env: dict[str, str], said: str, tmp_path: Path, no_engine: None
) -> None:
    queue = RunQueue(settings_for(tmp_path))
    asked = counting.Request(label="dear")
    said_price(queue, asked, hours=2.5, gb=3.5)
    held = OwnRuns(queue, ADA).submit(COUNTING, asked).run  # nothing is limited yet
    queue.stop(held)
    queue.close()

    queue = RunQueue(settings_for(tmp_path, **env))
    before, noted = queue.get(held), audit.lines(tmp_path)
    folders = sorted((tmp_path / "runs").iterdir())
    with pytest.raises((LimitError, OutOfMemoryError)) as anew:
        OwnRuns(queue, ADA).submit(COUNTING, asked)
    with pytest.raises((LimitError, OutOfMemoryError)) as resumed:
        OwnRuns(queue, ADA).resume(held)
    assert str(anew.value) == str(resumed.value) == said
    assert anew.value.hint == resumed.value.hint != ""
    assert queue.get(held) == before
    assert sorted((tmp_path / "runs").iterdir()) == folders
    assert audit.lines(tmp_path) == noted, "nothing was submitted and nothing resumed"
    OwnRuns(queue, ADA).submit(COUNTING, counting.Request(label="of which nothing is known"))
    queue.close()


def test_the_price_of_somebody_else_is_not_asked(tmp_path: Path, no_engine: None) -> None:
    queue = RunQueue(settings_for(tmp_path, SCVIZ_MEMORY_GB="2"))
    asked = counting.Request(label="dear")
    said_price(queue, asked, gb=3.5)
    queue.submit(COUNTING, asked, "somebody else")
    queue.close()


def test_hours_of_earlier_attempts_count_those_of_a_day(tmp_path: Path, no_engine: None) -> None:
    queue = RunQueue(settings_for(tmp_path, SCVIZ_PERSON_LIMITS="hours=3"))
    run = queue.submit(COUNTING, counting.Request(), ADA.id).run
    computed(queue, run, hours=5, ago=2 * DAY)
    assert queue.resume(run)
    computed(queue, run, hours=2)
    assert queue.resume(run)
    row = queue.get(run)
    assert (len(row.earlier), row.attempt, row.started) == (2, 3, 0.0)
    assert round(seconds_of(row) / 3600, 2) == 7.0
    assert round(seconds_of(row, time.time() - DAY) / 3600, 2) == 2.0
    computed(queue, run, hours=1.5)
    said = r"You have used 3\.5 hours of computing within a day, of 3\."
    with pytest.raises(LimitError, match=said):
        queue.resume(run)
    with pytest.raises(LimitError, match=said):
        queue.submit(COUNTING, counting.Request(label="another"), ADA.id)
    queue.trash.delete("run", run)
    with pytest.raises(LimitError, match=said):
        queue.submit(COUNTING, counting.Request(label="another"), ADA.id)
    queue.close()


def test_what_earlier_attempts_took_is_not_asked_for_again(tmp_path: Path, no_engine: None) -> None:
    queue = RunQueue(settings_for(tmp_path, SCVIZ_PERSON_LIMITS="hours=3"))
    asked = counting.Request()
    said_price(queue, asked, hours=2.5)
    run = queue.submit(COUNTING, asked, ADA.id).run
    computed(queue, run, hours=2)
    assert queue.resume(run), "half an hour is left of it, and one of the day"
    queue.close()


@pytest.fixture
def limits_kept() -> Iterator[None]:
    """A run limits the memory of its process, which is that of the tests here."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    yield
    resource.setrlimit(resource.RLIMIT_DATA, before)


class Kept:
    """A run that waits in its folder, to be carried out in this process."""

    def __init__(self, home: Path, **env: str) -> None:
        self.settings: Settings = settings_for(home, **env)
        self.queue = RunQueue(self.settings)

    def carried_out(self, request: counting.Request, *, allowed: Room = ROOMY) -> tuple[dict, set[str]]:
        """Return how a run ends, and what lies in its folder then."""
        run = self.queue.submit(COUNTING, request).run
        folder = self.queue.workspace.run_folder(run)
        ending = execute(run, self.queue.workspace, silent, allowed=allowed, settings=self.settings)
        return ending, {path.name for path in folder.iterdir()}


QUICK = {"total": 2, "seconds": 0.0}


def test_a_run_that_nobody_has_asked_the_price_of_is_refused_before_its_task_begins(
    tmp_path: Path, no_engine: None, limits_kept: None
) -> None:
    kept = Kept(tmp_path, SCVIZ_PERSON_LIMITS="hours=2")
    ending, files = kept.carried_out(counting.Request(total=9000, seconds=1.0))
    assert ending["state"] == "failed"
    assert ending["message"].endswith("of computing within a day, of 2; this run takes about 2.5.")
    assert "asked.txt" in files
    assert "work.txt" not in files
    ending, files = kept.carried_out(counting.Request(**QUICK, gigabytes=99.0))
    assert (ending["state"], ending["message"]) == (
        "failed",
        "This run needs about 99.00 GB of memory, and a run may use 64.00 GB here: that is a test.",
    )
    assert "work.txt" not in files
    ending, files = kept.carried_out(counting.Request(**QUICK))
    assert ending["state"] == "done"


def test_without_limits_no_run_is_estimated(tmp_path: Path, no_engine: None, limits_kept: None) -> None:
    ending, files = Kept(tmp_path).carried_out(counting.Request(**QUICK, gigabytes=99.0))
    assert ending["state"] == "done"
    assert "asked.txt" not in files


def test_a_price_that_is_known_is_not_asked_again_and_holds_for_the_machine_of_the_run(
    tmp_path: Path, no_engine: None, limits_kept: None
) -> None:
    kept = Kept(tmp_path)
    asked = counting.Request(**QUICK)
    said_price(kept.queue, asked, gb=3.5)
    kept.queue.database.update("price", owner="local")
    ending, files = kept.carried_out(
        asked, allowed=Room(gigabytes=3.0, why="that is what its container has left")
    )
    assert ending["message"] == (
        "This run needs about 3.50 GB of memory, and a run may use 3.00 GB here: that is what its container has left."
    )
    assert not {"asked.txt", "work.txt"} & files


@pytest.mark.slow
def test_a_run_of_the_command_line_ends_with_the_sentence(new_queue: Callable[..., RunQueue]) -> None:
    queue = new_queue(SCVIZ_MEMORY_GB="2")
    run = queue.submit(COUNTING, counting.Request(total=500, gigabytes=2.5)).run
    row = wait_for_end(queue, run)
    assert row.state == "failed"
    assert row.message == (
        "This run needs about 2.50 GB of memory, and a run may use 2.00 GB here: that is what SCVIZ_MEMORY_GB allows."
    )
    assert not (queue.workspace.run_folder(run) / "work.txt").exists()
