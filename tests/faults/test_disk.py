"""Disks that are full, read only or moved away while a run is at work."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from example_tasks import counting

from scviz.errors import JobError
from scviz.jobs import disk
from scviz.jobs.disk import Room, is_full
from scviz.jobs.queue import RunQueue
from scviz.workspace.database import Run
from tests.faults.conftest import Disk, read_only
from tests.jobs.conftest import end_engine, settings_for
from tests.jobs.waiting import wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
TOTAL = 60
NewQueue = Callable[..., RunQueue]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("1000 requested and 240 written"),  # numpy
        OSError(
            "Can't synchronously write data (file write failed: error message = 'No space left on device')"
        ),
        RuntimeError(
            "[enforce fail at inline_container.cc:858] . PytorchStreamWriter failed: file write failed"
        ),
        ValueError("I/O error: No space left on device (os error 28)"),  # safetensors
    ],
)
def test_all_libraries_are_understood_that_find_no_room(error: Exception) -> None:
    assert is_full(error)
    wrapped = KeyError("layer")
    wrapped.__cause__ = error
    assert is_full(wrapped)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "No such file"), MemoryError("out of memory"), ValueError("a full moon")]
)
def test_other_errors_are_no_full_disk(error: Exception) -> None:
    assert not is_full(error)


def test_numpy_and_python_say_that_a_real_disk_is_full(small_disk: Disk) -> None:
    small_disk.fill()
    with pytest.raises(OSError) as told:  # noqa: PT011 - what it says is the test
        np.save(small_disk.folder / "a.npy", np.zeros(10**6))
    assert is_full(told.value)
    with pytest.raises(OSError) as told:  # noqa: PT011
        (small_disk.folder / "b").write_text("b" * 10**6)
    assert is_full(told.value)


def test_a_pause_ends_when_there_is_room_or_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 0
    monkeypatch.setattr(disk, "free_bytes", lambda _: free)
    monkeypatch.setattr(disk, "TRY_SECONDS", 0.2)
    room = Room(tmp_path)
    room.begin()
    assert not room.may_try()
    free = disk.ENOUGH
    assert room.may_try()
    room.begin()
    assert not room.may_try()
    time.sleep(0.25)
    assert room.may_try()
    assert not room.is_over
    monkeypatch.setattr(room, "_left", 0.0)
    room.begin()
    assert room.is_over


def begun(queue: RunQueue, units: int = 3) -> str:
    run = queue.submit(COUNTING, counting.Request(total=TOTAL, label=str(time.time()))).run
    wait_for_units(queue, run, units)
    return run


def same_as_ever(queue: RunQueue, run: str) -> None:
    wait_until_done(queue, run)
    assert queue.result(run).squares.tolist() == [n**2 for n in range(TOTAL)]


@pytest.fixture
def on_disk(small_disk: Disk) -> RunQueue:
    """A queue whose workspace lies on a small disk."""
    home = small_disk.folder / "home"
    queue = RunQueue(settings_for(home))
    yield queue
    queue.close()
    end_engine(home)


@pytest.mark.slow
def test_a_full_disk_pauses_a_run_which_then_goes_on_by_itself(on_disk: RunQueue, small_disk: Disk) -> None:
    run = begun(on_disk)
    small_disk.fill()
    wait_for(
        lambda: "is full" in on_disk.trouble(on_disk.get(run)), "the page says that the disk is full", 60
    )
    assert on_disk.get(run).state == "running"
    with pytest.raises(JobError, match="full"):
        on_disk.submit(COUNTING, counting.Request(label="another"))
    small_disk.empty()
    same_as_ever(on_disk, run)
    assert on_disk.get(run).attempt == 1


@pytest.mark.slow
def test_a_read_only_disk_is_named_and_the_run_can_be_resumed(on_disk: RunQueue) -> None:
    run = begun(on_disk)
    with read_only(on_disk.workspace.run_folder(run)):
        ended = wait_for_end(on_disk, run)
    assert (ended.state, ended.message) == ("failed", "The workspace cannot be used now: it is read only.")
    on_disk.resume(run)
    same_as_ever(on_disk, run)


@pytest.mark.slow
def test_a_workspace_that_is_moved_takes_its_runs_along(new_queue: NewQueue, tmp_path: Path) -> None:
    old = RunQueue(settings_for(tmp_path / "home"))
    run = begun(old)
    old.close()
    (tmp_path / "home").rename(tmp_path / "moved")
    new = RunQueue(settings_for(tmp_path / "moved"))
    try:
        ended = wait_for_end(new, run)
        assert ended.state in ("lost", "failed")
        assert "restarted" in ended.message or "moved" in ended.message
        new.resume(run)
        same_as_ever(new, run)
    finally:
        new.close()
        end_engine(tmp_path / "moved")
        shutil.rmtree(tmp_path / "home", ignore_errors=True)


def test_a_run_that_cannot_be_written_down_is_not_handed_in(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = new_queue()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(JobError, match="The disk of the workspace is full"):
        queue.submit(COUNTING, counting.Request())
    monkeypatch.undo()
    assert queue.runs() == []
    assert isinstance(Run(id="a", task="qc").trouble, str)
