"""A page and its command ask the same question to begin with, so that one answers for both."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from anndata import AnnData

from scviz.cli import parser
from scviz.jobs.queue import RunQueue
from scviz.models import model_class
from scviz.settings import Settings
from scviz.workspace.records import to_json
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import Open, visit  # noqa: F401 - a fixture

ASKED = {
    "annotate": "annotation",
    "compare": "compare",
    "enhance": "enhancement",
    "explore": "embedding",
    "modules": "modules",
    "pretrain": "pretraining",
    "qc": "qc",
}
"""Pages that can ask as soon as a dataset is open, and their tasks."""
COMMANDS = {"explore": "embed"}
"""Where the command has another name than the page."""


class AskedError(Exception):
    """Stands for the answer."""


@pytest.mark.parametrize("page", ASKED)
def test_page_and_command_ask_the_same(
    visit: Open,  # noqa: F811
    opened: Opened,
    adata: AnnData,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    if page == "enhance":
        opened = keep_model(opened, model_class("scfoundation").untrained(adata, "tiny"), "Deep")
    shown = visit(f"pages/{page}.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    shown.button(key="run").click().run()
    assert not shown.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == ASKED[page]]
    given: list[Any] = []

    def carry_out(task: str, request: Any, settings: Settings) -> Any:
        given.append(request)
        raise AskedError

    command = COMMANDS.get(page, page)
    monkeypatch.setattr(import_module(f"scviz.cli.{command}"), "carry_out", carry_out)
    words = {
        "qc": [],
        "compare": ["--checkpoints", *run.request.get("checkpoints", ())],
        "pretrain": ["--name", run.request.get("name", "")],  # how the new checkpoint is called is not asked
    }.get(page, ["--checkpoint", opened.checkpoint])
    options = parser().parse_args([command, opened.dataset, *words])
    with pytest.raises(AskedError):
        options.command(options, Settings.from_env())
    asked = to_json(given[0])
    differing = {name: (value, asked[name]) for name, value in run.request.items() if asked[name] != value}
    assert differing == {}
