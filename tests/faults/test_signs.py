"""Signs of life by clocks that are wrong, or set."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scviz.jobs import disk, signs
from scviz.jobs.signs import Signs, must_be_stopped, trouble_of
from scviz.settings import Settings
from scviz.workspace.database import Database, Run


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(signs, "time", clock)
    return clock


def run(beat: float, **fields: object) -> Run:
    return Run(id="a", task="qc", state="running", heartbeat=time.time() + beat, **fields)  # type: ignore[arg-type]


def test_a_run_is_silent_since_its_sign_changed_last(clock: Clock) -> None:
    seen = Signs()
    assert seen.silent_for(run(-3)) == pytest.approx(3, abs=0.1)
    fresh = run(0)
    assert seen.silent_for(fresh) == 0
    clock.now += 40
    assert seen.silent_for(fresh) == 40


@pytest.mark.parametrize("hour", [-3600, 3600])
def test_a_clock_that_is_an_hour_off_makes_no_run_silent_that_gives_signs(clock: Clock, hour: int) -> None:
    seen = Signs()
    for second in range(20):
        seen.silent_for(run(hour + second))
        clock.now += 1
    assert seen.silent_for(run(hour + 20)) == 0


def test_a_sign_from_the_future_that_does_not_change_is_none(clock: Clock) -> None:
    """A clock that was set back must not keep a dead run alive for an hour."""
    seen, dead = Signs(), run(3600)
    assert seen.silent_for(dead) == 0
    clock.now += 50
    assert seen.silent_for(dead) == 50


@pytest.fixture
def home(tmp_path: Path) -> tuple[Settings, Database]:
    settings = Settings.from_env({"SCVIZ_HOME": str(tmp_path)})
    return settings, Database.from_settings(settings)


def told(home: tuple[Settings, Database], one: Run, seen: Signs) -> str:
    return trouble_of(one, seen, settings=home[0], database=home[1])


def test_a_silent_run_is_told_with_its_seconds(clock: Clock, home: tuple[Settings, Database]) -> None:
    seen, one = Signs(), run(0)
    assert told(home, one, seen) == ""
    clock.now += 40
    assert told(home, one, seen).startswith("No sign of life for 40 s. It may go on by itself;")


def test_the_reason_of_the_silence_is_told(
    clock: Clock, home: tuple[Settings, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, one = Signs(), run(0)
    told(home, one, seen)
    clock.now += 40
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1000)
    assert told(home, one, seen).endswith("The disk of the workspace is full: 0.00 GB are free.")


def test_a_clock_of_the_future_is_told(clock: Clock, home: tuple[Settings, Database]) -> None:
    said = told(home, run(3600), Signs())
    assert "60 min ahead of this one's" in said
    assert "not to be trusted" in said


def test_a_stop_is_carried_out_from_outside_only_where_nobody_hears_it(clock: Clock) -> None:
    seen = Signs()
    assert not must_be_stopped(run(0, stop_requested=True), seen)
    one = run(0.001, stop_requested=True)
    seen.silent_for(one)
    clock.now += 16
    assert must_be_stopped(one, seen)
    assert not must_be_stopped(Run(id="b", task="qc", state="running", heartbeat=time.time() - 60), Signs())
