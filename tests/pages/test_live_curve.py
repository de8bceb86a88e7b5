"""The curve of a run that trains is drawn when it changes, once for all who look on."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import job_panel
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace.database import Run
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit  # noqa: F401 - visit is a fixture


def panel() -> None:
    from pages.components.job_panel import curve

    curve("training")


def points(page: AppTest) -> int:
    (chart,) = page.get("plotly_chart")
    return len(json.loads(chart.proto.spec)["data"][0]["x"])


def test_it_is_drawn_again_when_it_changes_and_not_before(
    visit: Open,  # noqa: F811
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = opened.workspace.run_folder("training")
    folder.mkdir(parents=True)
    RunQueue(Settings.from_env()).database.add(Run(id="training", task="pretraining", state="running"))
    event = {"time": 0, "stage": "Training", "done": 1, "total": 9, "values": {"loss": 2.0}, "note": ""}
    path, drawn = folder / "events.jsonl", []
    draw = job_panel.loss_figure
    monkeypatch.setattr(
        job_panel, "loss_figure", lambda *given, **more: drawn.append(given) or draw(*given, **more)
    )
    path.write_text("".join(json.dumps({**event, "done": i}) + "\n" for i in range(1200)))
    first, second = AppTest.from_function(panel).run(), AppTest.from_function(panel).run()
    for page in (first, second, first):
        page.run()
        assert not page.exception
    assert len(drawn) == 1
    assert points(first) == points(second) <= 500
    with path.open("a") as file:
        file.writelines(
            json.dumps({**event, "done": i, "values": {"loss": 1.0}}) + "\n" for i in range(1200, 1300)
        )
    first.run()
    assert len(drawn) == 2
    assert points(first) > points(second)
