"""How many threads runs compute with: the same number for ever, whatever the machine has later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from example_tasks import counting

from scviz.jobs import threads
from scviz.jobs.queue import RunQueue
from scviz.jobs.threads import FILE, threads_of
from scviz.settings import Settings
from tests.jobs.waiting import wait_until_done


def settings(home: Path, **env: str) -> Settings:
    return Settings.from_env({"SCVIZ_HOME": str(home), **env})


def test_a_workspace_keeps_the_number_that_its_first_run_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "n_cores", lambda: 8)
    assert threads_of(settings(tmp_path), 2) == 4
    monkeypatch.setattr(threads, "n_cores", lambda: 2)  # another machine, or fewer cores in its container
    assert threads_of(settings(tmp_path), 1) == 4


def test_the_settings_come_first(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("4")
    assert threads_of(settings(tmp_path, SCVIZ_THREADS="3"), 1) == 3


@pytest.mark.parametrize(("cores", "at_a_time", "found"), [(1, 1, 1), (64, 1, 16), (2, 3, 1)])
def test_there_is_at_least_one_and_no_more_than_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, at_a_time: int, found: int
) -> None:
    monkeypatch.setattr(threads, "n_cores", lambda: cores)
    assert threads_of(settings(tmp_path), at_a_time) == found


def test_a_file_that_says_nothing_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text("many")
    monkeypatch.setattr(threads, "n_cores", lambda: 2)
    assert threads_of(settings(tmp_path), 1) == 2


@pytest.mark.slow
def test_a_run_says_in_its_log_with_how_many_threads_it_computed(new_queue: Callable[..., RunQueue]) -> None:
    queue = new_queue(SCVIZ_THREADS="3")
    run = queue.submit("example_tasks.counting", counting.Request(total=2)).run
    wait_until_done(queue, run)
    assert "Threads: 3\n" in queue.log(run)
