"""Whatever ends for lack of memory says so, with how much there was and why no more."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from scviz.errors import CountsError, JobError
from scviz.jobs import endings
from scviz.jobs.endings import Circumstances, error_in_words
from scviz.jobs.engine import importable
from scviz.memory import GIGABYTE, Room
from scviz.workspace.records import to_json

SMALL = Room(gigabytes=0.001, why="that is a test")
LARGE = Room(gigabytes=10_000.0, why="that is a test")


def carried_out(home: Path, how: str, *, gigabytes: str = "", data_limit: float = 0.0) -> tuple[int, dict]:
    """Carry a run that fails out in a worker process, under a limit from within or without; its code and last word."""
    from example_tasks import failing

    folder = home / "runs" / how
    folder.mkdir(parents=True)
    asked = {"task": "example_tasks.failing", "request": to_json(failing.Request(how=how))}  # type: ignore[arg-type]
    (folder / "request.json").write_text(json.dumps(asked))
    allowed = {"SCVIZ_HOME": str(home), "SCVIZ_MEMORY_GB": gigabytes}
    limit = int(data_limit * GIGABYTE)
    open_end, other_end = os.pipe()  # as long as it is open, somebody watches
    done = subprocess.run(
        [sys.executable, "-P", "-m", "scviz.jobs.worker", how],
        env=importable({"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent), **allowed}),
        stdin=open_end,
        capture_output=True,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))) if limit else None,
    )
    os.close(open_end)
    os.close(other_end)
    (folder / "log.txt").write_text(done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, said[-1] if said else {}


def test_an_error_without_a_reason_near_the_limit_is_lack_of_memory(tmp_path: Path) -> None:
    _, said = carried_out(tmp_path, "mute", gigabytes="0.4")
    assert said["message"].startswith(
        "Memory ran out: the run needed more than the 0.4 GB it may use (that is what SCVIZ_MEMORY_GB allows)."
    )
    assert "SystemError" in said["message"]
    assert said["hint"] == endings.LESS_MEMORY


def test_a_limit_from_without_is_named(tmp_path: Path) -> None:
    _, said = carried_out(tmp_path, "memory", data_limit=0.5)
    assert said["message"].startswith(
        "Memory ran out: the run needed more than the 0.5 GB it may use (that is the limit of processes here, as ulimit"
    )


def test_a_run_with_less_than_the_floor_does_not_begin(tmp_path: Path) -> None:
    _, said = carried_out(tmp_path, "bug", gigabytes="0.2")
    assert said["message"] == (
        "A run may use 0.20 GB of memory here: that is what SCVIZ_MEMORY_GB allows. "
        "Runs like this one need 0.3 GB or more."
    )


def test_a_process_that_aborts_for_lack_of_memory_says_so_in_its_log(tmp_path: Path) -> None:
    around = Circumstances(LARGE, tmp_path / "runs" / "abort" / "log.txt")
    code, _ = carried_out(tmp_path, "abort")
    ending = around.ending(code, stopped=False)
    assert ending["state"] == "failed"
    assert ending["message"].startswith("Memory ran out")
    assert "std::bad_alloc" in ending["message"]


@pytest.mark.parametrize(
    ("code", "state", "message"),
    [
        (-9, "lost", "ended by signal 9, most often because memory ran out"),
        (-11, "lost", "ended by signal 11"),
        (3, "failed", "ended too early, with exit code 3"),
        (None, "lost", "said no more"),
    ],
)
def test_other_ends_are_told_as_what_they_are(
    code: int | None, state: str, message: str, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    log.write_text("An earlier attempt: std::bad_alloc\n")  # is no news of this one
    ending = Circumstances(LARGE, log).ending(code, stopped=False)
    assert ending["state"] == state
    assert message in ending["message"]


def test_a_process_that_the_system_ended_for_memory_is_told_from_one_that_somebody_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([4, 5])
    monkeypatch.setattr(endings, "killed_for_memory", lambda: next(counts))
    ending = Circumstances(LARGE, tmp_path / "log.txt").ending(-9, stopped=False)
    assert ending["message"].endswith("(the system ended the process, signal 9)")
    assert ending["hint"] == endings.LESS_MEMORY


def test_lack_of_memory_behind_another_error_is_found() -> None:
    try:
        try:
            raise MemoryError("Unable to allocate 7.45 GiB")
        except MemoryError as error:
            raise JobError("The file is damaged.") from error
    except JobError as error:
        message, _ = error_in_words(error, LARGE)
    assert message.endswith("(Unable to allocate 7.45 GiB)")


def test_errors_that_have_a_reason_keep_it_at_any_limit() -> None:
    assert error_in_words(CountsError("No counts.", hint="Look."), SMALL) == ("No counts.", "Look.")
    assert error_in_words(KeyError("louvain"), LARGE)[0] == (
        "Something inside scviz went wrong: KeyError: 'louvain'"
    )
    assert error_in_words(KeyError("louvain"), SMALL)[0].startswith("Memory ran out")
