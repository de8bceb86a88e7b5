"""Known types of cells, by which results are told apart."""

from __future__ import annotations

from scviz.datasets.labels import Labels, cell_labels, no_labels
from scviz.workspace import Workspace


def types_of(workspace: Workspace, dataset: str, label_key: str | None) -> Labels:
    """Read the column of types; no labels if none is named.

    Raises
    ------
    MissingColumnError
        If the dataset has no such column.
    RequestError
        If the column does not name groups.
    """
    if label_key is None:
        return no_labels(workspace.dataset(dataset).n_cells)
    return cell_labels(workspace.dataset_folder(dataset), label_key)
