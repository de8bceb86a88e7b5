"""A queue that carries out what is handed in at once, in this process: commands answer without a compute engine."""

from __future__ import annotations

import json
from typing import Any

from scviz.jobs.queue import Submitted
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import back, front
from scviz.tasks.context import Context
from scviz.tasks.needs import refuse_empty, refuse_idle
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.records import read_record, to_json, write_record


class InlineQueue:
    """Takes the place of `RunQueue` in a test."""

    def __init__(self, settings: Settings) -> None:
        self.workspace = Workspace.from_settings(settings)

    def submit(self, task: str, request: Any, owner: str = "local") -> Submitted:
        """Carry a request out; raises what the task raises."""
        number = len(list((self.workspace.home / "runs").iterdir()))
        context = Context(
            workspace=self.workspace, report=silent, folder=self.workspace.run_folder(f"{task}-{number}")
        )
        context.folder.mkdir(parents=True)
        asked = {"task": task, "request": to_json(request)}
        (context.folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
        refuse_idle(task, request, self.workspace)
        result = back(task).run(request, context)
        refuse_empty(task, request, result)
        write_record(result, context.result)
        return Submitted(run=context.folder.name, cached=False)

    def get(self, run: str) -> Run:
        """Return a finished run."""
        return Run(id=run, task=run.rpartition("-")[0], request={}, state="done")

    def result(self, run: str) -> Any:
        """Read what a run found."""
        return read_record(front(self.get(run).task).Result, self.workspace.run_folder(run) / "result")
