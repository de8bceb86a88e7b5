"""What a run says of itself, without an engine."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scviz.errors import JobCancelledError
from scviz.jobs.engine import importable
from scviz.jobs.supervisor import Tracker
from scviz.jobs.worker import Reporter
from scviz.progress import Progress


def said(pipe: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in pipe.getvalue().splitlines()]


@pytest.fixture
def pipe() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def reporter(tmp_path: Path, pipe: io.StringIO, stop: threading.Event) -> Reporter:
    return Reporter(tmp_path / "events.jsonl", pipe, stop)


def test_quick_counts_are_thinned_out_and_the_last_of_a_stage_is_kept(
    reporter: Reporter, pipe: io.StringIO
) -> None:
    for done in range(1, 1000):
        reporter(Progress(stage="Reading cells", done=done, total=5000))
    reporter(Progress(stage="Writing"))
    reporter.end({"state": "done"})
    reading = [event["done"] for event in said(pipe) if event.get("stage") == "Reading cells"]
    assert (reading[0], reading[-1]) == (1, 999)
    assert len(reading) < 20


def test_a_count_held_back_is_written_at_the_end(reporter: Reporter, pipe: io.StringIO) -> None:
    for done in (1, 2, 3):
        reporter(Progress(stage="Reading cells", done=done, total=10))
    reporter.end({"state": "failed"})
    assert [event.get("done") for event in said(pipe)] == [1, 3, None]


def test_all_values_and_notes_are_kept(reporter: Reporter, pipe: io.StringIO) -> None:
    for step in range(100):
        reporter(Progress(stage="Training", values={"loss": 1 / (step + 1)}))
    reporter(Progress(stage="Training", note="Batches are halved."))
    reporter.end({"state": "done"})
    assert len(said(pipe)) == 102


def test_the_file_holds_what_the_supervisor_hears(
    reporter: Reporter, pipe: io.StringIO, tmp_path: Path
) -> None:
    reporter(Progress(stage="Reading cells"))
    reporter.end({"state": "done"})
    assert (tmp_path / "events.jsonl").read_text() == pipe.getvalue()


def test_a_stop_interrupts_at_the_next_report(reporter: Reporter, stop: threading.Event) -> None:
    reporter(Progress(stage="Reading cells"))
    stop.set()
    with pytest.raises(JobCancelledError):
        reporter(Progress(stage="Reading cells"))
    reporter.end({"state": "stopped"})


def event(time: float, done: int, **fields: object) -> dict:
    return {
        "time": time,
        "stage": "Embedding",
        "done": done,
        "total": 100,
        "values": {},
        "note": "",
        **fields,
    }


def test_a_steady_rate_is_that_rate() -> None:
    tracker = Tracker()
    for second in range(5):
        tracker.take(event(second, 8 * second))
    assert tracker.fields["rate"] == pytest.approx(8)


def test_what_an_earlier_attempt_had_finished_does_not_count_for_the_rate() -> None:
    tracker = Tracker()
    tracker.take(event(0, 60))
    tracker.take(event(2, 64))
    assert tracker.fields["rate"] == pytest.approx(2)


def test_a_new_stage_begins_with_no_rate() -> None:
    tracker = Tracker()
    tracker.take(event(0, 0))
    tracker.take(event(1, 50))
    tracker.take(event(2, 1, stage="Drawing the map"))
    assert tracker.fields["rate"] == 0


def test_notes_are_kept_once_each_and_values_are_the_last_ones() -> None:
    tracker = Tracker()
    tracker.take(event(0, 0, note="A.", values={"loss": 2.0}))
    tracker.take(event(1, 1, note="B.", values={"accuracy": 0.5}))
    tracker.take(event(2, 2, note="A.", values={"loss": 1.0}))
    assert tracker.fields["note"] == "A.\nB."
    assert tracker.fields["values"] == {"loss": 1.0, "accuracy": 0.5}


def test_a_loss_that_is_no_number_is_left_out_of_the_row() -> None:
    tracker = Tracker()
    tracker.take(event(0, 0, values={"loss": float("nan")}))
    assert tracker.fields["values"] == {}


def test_neither_side_imports_torch_or_dask_before_it_must() -> None:
    code = (
        "import sys, scviz.jobs.queue, scviz.jobs.worker;"
        "sys.exit(str([m for m in ('torch', 'distributed', 'anndata', 'streamlit') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=importable({}), capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
