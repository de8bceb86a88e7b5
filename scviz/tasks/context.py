"""The surroundings of a run: where things are kept, whom to report to, where to leave off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scviz.progress import Report
from scviz.tasks import front
from scviz.workspace import Workspace
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import from_json, read_record

if TYPE_CHECKING:
    from anndata import AnnData

    from scviz.foundation.model import FoundationModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An earlier run that has a result."""

    task: str
    request: Any
    """The Request of the task."""
    result: Any
    """The Result of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one run."""

    workspace: Workspace
    report: Report
    """Called after each batch; raises JobCancelledError when the run must stop."""
    folder: Path
    """Folder of the run. What lies in `state/` when a run starts is what an earlier try has finished;
    files that belong to the result go to `result/`."""
    device: str = "auto"

    @property
    def state(self) -> Path:
        """Folder for what a later try may go on from."""
        path = self.folder / "state"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def result(self) -> Path:
        """Folder for files that belong to the result."""
        path = self.folder / "result"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def counts(self, dataset: str) -> AnnData:
        """Read a dataset: raw counts (N, G) as CSR, `obs` and `var` as in the file."""
        from scviz.datasets.readers import read_counts

        return read_counts(self.workspace.dataset_folder(dataset))

    def model(self, checkpoint: str, task: str) -> FoundationModel:
        """Read a model with the weights that it has for a task."""
        from scviz.models import model_class

        info = self.workspace.checkpoint(checkpoint)
        return model_class(info.model).for_task(self.workspace.checkpoint_folder(checkpoint), task)

    def finished(self, run: str) -> Finished:
        """Read what was asked of another run, and what it found."""
        folder = self.workspace.run_folder(run)
        asked = read_plain(folder / "request.json")
        task = front(asked["task"])
        return Finished(
            task=asked["task"],
            request=from_json(task.Request, asked["request"]),
            result=read_record(task.Result, folder / "result"),
        )
