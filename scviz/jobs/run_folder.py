"""What the web side writes into the folder of a run and reads from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from scviz.errors import JobError
from scviz.jobs import disk
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.people import claim, person_of

LOG_BYTES = 100_000
"""The end of a log that is shown."""


def write_request(workspace: Workspace, run: Run) -> None:
    """Make the folder of a run, which is its owner's, with what is asked in it.

    Raises
    ------
    JobError
        If the disk takes nothing.
    """
    folder = workspace.run_folder(run.id)
    text = json.dumps({"task": run.task, "request": run.request}, indent=1)
    try:
        folder.mkdir(parents=True)
        claim(person_of(workspace.home, run.owner), folder)
        (folder / "request.json").write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        words = disk.ending_of(error, folder.parent)["message"]
        raise JobError(words, hint="Nothing was handed in: try again when there is room.") from error


def read_log(folder: Path) -> str:
    """Read the end of what a run has printed; empty where it has printed nothing."""
    path = folder / "log.txt"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")
