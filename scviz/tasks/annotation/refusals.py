"""What is known of a request before anything is read: weights that name nothing, labels that teach nothing."""

from __future__ import annotations

from scviz.datasets.columns import cell_column
from scviz.datasets.enough_cells import large_labels
from scviz.datasets.labels import labels_of
from scviz.errors import RequestError
from scviz.tasks.annotation import TRAINED, Request
from scviz.workspace import CheckpointInfo, Workspace

FEWEST_CELLS = 5
"""Types with fewer labeled cells can be neither learned nor tested."""


def refuse(request: Request, workspace: Workspace) -> None:
    """Refuse what a run would refuse, too, from what is known of dataset and checkpoint.

    Raises
    ------
    MissingColumnError
        If the dataset lacks a column that is named.
    RequestError
        If the weights know no types, or fewer than two types have cells enough.
    """
    folder = workspace.dataset_folder(request.dataset)
    if request.mode not in TRAINED:
        refuse_no_types(workspace.checkpoint(request.checkpoint))
    columns = filter(None, (request.group_key, request.split_column, request.label_key))
    found = {name: cell_column(folder, name) for name in columns}
    labels = found.get(request.label_key)
    if request.mode in TRAINED and labels is not None and labels.categories is not None:
        large_labels(labels_of(labels).texts, column=f"The column {request.label_key!r}", fewest=FEWEST_CELLS)


def refuse_no_types(checkpoint: CheckpointInfo) -> None:
    """Refuse to name cells by weights that were not trained to.

    Raises
    ------
    RequestError
        If they know no types.
    """
    if not checkpoint.types:
        raise RequestError(
            f"{checkpoint.name} knows no cell types: it was not fine-tuned to name them.",
            hint="Choose a fine-tuned checkpoint, import one, or train on labels of your own.",
        )
