"""Where a run keeps the classifier that it trained, and how that becomes a checkpoint."""

from __future__ import annotations

from scviz.tasks import importing
from scviz.workspace import Workspace

FOLDER = "classifier"
"""Below the result of a run."""


def request_to_save(workspace: Workspace, run: str, *, checkpoint: str, name: str) -> importing.Request:
    """Ask for the import of what a run trained.

    Parameters
    ----------
    run
        Id of a finished run that trained a classifier.
    checkpoint
        What it was trained from, which says the model.
    name
        Of the new checkpoint.

    Raises
    ------
    RequestError
        If the name is empty.
    """
    folder = workspace.run_folder(run) / "result" / FOLDER
    model = workspace.checkpoint(checkpoint).model
    return importing.Request(model=model, folder=str(folder.resolve()), name=name)
