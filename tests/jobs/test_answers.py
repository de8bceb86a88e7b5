"""Which question an earlier run answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import scviz
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import front, qc, question_id
from scviz.workspace.records import to_json, write_record

ASKED = qc.Request(dataset="cells")


@pytest.fixture
def asked(tmp_path: Path, no_engine: None) -> RunQueue:
    """A workspace in which the question was asked once, and answered."""
    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path), "SCVIZ_SPARE": "0"}))
    run = queue.submit("qc", ASKED).run
    queue.database.update(run, state="done")
    write_record(ASKED, queue.workspace.run_folder(run) / "result")  # any record: it is not read
    return queue


def test_a_new_version_of_scviz_keeps_the_answers_of_the_last_one(
    asked: RunQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scviz, "__version__", "99")
    assert asked.submit("qc", ASKED).cached


def test_a_task_that_answers_otherwise_now_is_carried_out_anew(
    asked: RunQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front("qc"), "VERSION", 2, raising=False)
    assert not asked.submit("qc", ASKED).cached


def test_a_task_without_a_version_is_at_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    before = question_id("qc", to_json(ASKED))
    monkeypatch.setattr(front("qc"), "VERSION", 1, raising=False)
    assert question_id("qc", to_json(ASKED)) == before
