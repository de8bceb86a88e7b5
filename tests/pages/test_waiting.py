"""What a page says before Run and while a run waits: the price, the place, when it starts, how to come first."""

from __future__ import annotations

import time
from datetime import date
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import file_names
from scviz.jobs.lines import HEAVY
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import pricing
from scviz.tasks.price import Price
from scviz.workspace.database import Run
from scviz.workspace.records import to_json, write_record
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit, words

__all__ = ["visit"]


def wait_in_line(opened: Opened) -> None:
    """One run at work for two more hours, three of an hour that wait, of which the second is another person's."""
    now = time.time()
    common = {
        "task": "modules",
        "request": {"dataset": opened.dataset},
        "line": HEAVY,
        "heartbeat": now + 1e6,  # nobody looks for them
        "engine": "x",
    }
    database = RunQueue(Settings.from_env()).database
    database.add(Run(id="work", state="running", started=now, expected=7350.0, created=1, **common))  # type: ignore[arg-type]
    for place, (name, owner) in enumerate({"a": "local", "b": "ben", "c": "local"}.items(), start=2):
        database.add(Run(id=name, owner=owner, place=place, expected=3600.0, created=place, **common))  # type: ignore[arg-type]


def progress(page: AppTest) -> str:
    (bar,) = page.get("progress")
    return str(bar.proto.text)


def test_a_run_that_waits_says_its_place_and_when_it_starts(visit: Open, opened: Opened) -> None:
    wait_in_line(opened)
    page = visit("pages/runs.py", run="c")
    assert not page.exception
    assert progress(page) == "3rd in the queue, starts in about 4 h"
    states = page.dataframe[0].value.set_index("Run")["State"]
    assert states["a"] == "Next in the queue, starts in about 2 h"
    page.button(key="job_first").click().run()
    assert not page.exception
    places = {run.id: run.place for run in RunQueue(Settings.from_env()).database.runs(["queued"])}
    assert places == {"c": 2.0, "b": 3.0, "a": 4.0}, "the run of another person keeps its place"
    assert progress(page) == "Next in the queue, starts in about 2 h"
    assert not [button for button in page.button if button.key == "job_first"], "it is the first"


def answer(opened: Opened, seconds: float) -> None:
    """Answer the estimate that a page has asked for."""
    database = RunQueue(Settings.from_env()).database
    (run,) = [run for run in database.runs() if run.task == "pricing"]
    result = pricing.Result(price=Price(seconds=seconds, gigabytes=0.5, how="a trial"), available_gb=4.0)
    write_record(result, opened.workspace.run_folder(run.id) / "result")
    database.update(run.id, state="done", ended=time.time())


@pytest.mark.parametrize(("seconds", "warned"), [(590.0, False), (6300.0, True)])
def test_more_than_ten_minutes_are_warned_of_before_run(
    visit: Open, opened: Opened, *, seconds: float, warned: bool
) -> None:
    page = visit("pages/modules.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    answer(opened, seconds)
    page.run()
    assert not page.exception
    assert any("That is long" in one.value for one in page.warning) == warned
    assert ("1 h 45 min" if warned else "9 min 50 s") in words(page)
    page.button(key="run").click().run()
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "modules"]
    assert (run.line, run.expected) == (HEAVY, seconds), "the estimate goes with the run"
    assert to_json(RunQueue(Settings.from_env()).request(run.id)) == run.request


def test_files_are_named_by_dataset_what_and_day(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = SimpleNamespace(name="PBMC: day 2 / IFN-β")
    monkeypatch.setattr(file_names.state, "current_dataset", lambda: dataset)
    today = date.today().isoformat()
    assert file_names.file_name("confusion.svg") == f"PBMC-day-2-IFN-β_confusion_{today}.svg"
    monkeypatch.setattr(file_names.state, "current_dataset", lambda: None)
    assert file_names.file_name("HLA.A-genes.csv") == f"HLA.A-genes_{today}.csv"
