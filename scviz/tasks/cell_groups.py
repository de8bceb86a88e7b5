"""How a request names a group of cells: a value of a column, a group of the map, a cluster, or an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_query import names_in, read_query
from scviz.datasets.cells_where import Truth, cells_where
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.tasks import front
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, read_groups
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import read_array

CIRCULAR = re.compile(r"cluster|leiden|louvain", re.IGNORECASE)
"""Names of columns whose groups were found on expression."""
CLUSTERS = "clusters"
"""Array of a result, (N,), that clusters cells, from 0; a page counts them from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGroup:
    """One of four: `column` with `value`; `named`, with `version`; `run` with `cluster`; or `expression`."""

    column: str = ""
    value: str = ""
    named: str = ""
    """A group that was circled or named on a map."""
    version: str = ""
    """Hash of the cells of that group when it was chosen; empty takes those it has now."""
    run: str = ""
    """A finished run that clustered the cells."""
    cluster: int = 0
    """Its number, from 1."""
    expression: str = ""
    """As `scviz.datasets.cell_query` reads it."""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.column, self.named, self.run, self.expression))) != 1:
            raise RequestError(
                "A group of cells is named by a value of a column, by its name on the map, by the number of a "
                "cluster, or by an expression: one of these.",
                hint='Choose one, such as the expression cell_type == "B cell".',
            )
        if bool(self.column) != bool(self.value):
            raise RequestError(
                f"No value of the column {self.column!r} was selected."
                if self.column
                else f"No column was selected that has the value {self.value!r}.",
                hint="Name a column and one of its values.",
            )
        if bool(self.run) != (self.cluster > 0):
            raise RequestError(
                "A cluster is named by the run that found it and its number, from 1.", hint="Name both."
            )
        if self.expression:
            read_query(self.expression)

    @property
    def words(self) -> str:
        """What the group is called."""
        if self.run:
            return cluster_name(self.cluster)
        return self.value or self.named or f"cells with {self.expression}"

    @property
    def circular(self) -> bool:
        """Whether it was found on expression, as clusters and groups of a map are, so that tests of genes find some."""
        return bool(self.run or self.named) or any(CIRCULAR.search(name) for name in self._columns)

    @property
    def _columns(self) -> tuple[str, ...]:
        """Name what may be a column and says who is in the group."""
        if not self.expression:
            return (self.column,)
        return tuple(name for name in names_in(read_query(self.expression)) if not name.startswith("gene:"))


def cluster_name(number: int) -> str:
    """Say what a cluster is called.

    Examples
    --------
    >>> cluster_name(3)
    'cluster 3'
    """
    return f"cluster {number:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Which of N cells are in a group, and what is to be said of it."""

    truth: Truth
    notes: tuple[str, ...] = ()


def members(group: CellGroup, dataset: str, workspace: Workspace) -> Members:
    """Find the cells of a group.

    Raises
    ------
    RequestError
        If the dataset has no such value, gene, column, group or cluster, or the group has other cells by now.
    """
    folder, n_cells = workspace.dataset_folder(dataset), workspace.dataset(dataset).n_cells
    if group.expression:
        return Members(truth=cells_where(folder, group.expression, n_cells))
    if group.named:
        return Members(truth=_on_map(group, folder, n_cells))
    if group.run:
        return Members(truth=_cluster(group, clusters_of(group.run, dataset, workspace)))
    labels = cell_labels(folder, group.column, asked=[group.value])
    if group.value not in labels.names:
        raise RequestError(
            f"The column {group.column!r} has no group {group.value!r}.",
            hint=f"It has {', '.join(labels.names[:12])}.",
        )
    inside: NDArray[np.bool_] = labels.codes == labels.names.index(group.value)
    return Members(truth=Truth(yes=inside, no=(labels.codes >= 0) & ~inside), notes=labels.notes)


def has_clusters(task: str) -> bool:
    """Tell whether the results of a task cluster the cells of its dataset.

    Examples
    --------
    >>> has_clusters("compare"), has_clusters("qc")
    (False, False)
    """
    field = front(task).Result.__dataclass_fields__.get(CLUSTERS)
    return field is not None and str(field.type).startswith("NDArray")  # not a mapping of several


def clusters_of(run: str, dataset: str, workspace: Workspace) -> NDArray[np.int64]:
    """Read the clusters of a finished run.

    Returns
    -------
    (N,) cluster of each cell of the dataset, from 0; below 0 for cells in none.

    Raises
    ------
    RequestError
        If there is no such run of these cells, or it has no clusters.
    """
    folder = workspace.run_folder(run)
    try:
        asked = read_plain(folder / "request.json")["request"]
        found = np.asarray(read_array(folder / "result", CLUSTERS), dtype=np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise RequestError(
            f"There is no finished run {run!r} with clusters.", hint="Draw a map on the Explore page first."
        ) from error
    if asked.get("dataset") != dataset or len(found) != workspace.dataset(dataset).n_cells:
        raise RequestError(
            f"The run {run!r} has clusters of other cells.", hint="Choose a run of this dataset."
        )
    return found


def _cluster(group: CellGroup, clusters: NDArray[np.int64]) -> Truth:
    n_clusters = int(clusters.max(initial=-1)) + 1
    if group.cluster > n_clusters:
        raise RequestError(
            f"There is no cluster {group.cluster}.", hint=f"That run has {n_clusters:,} clusters."
        )
    inside = clusters == group.cluster - 1
    return Truth(yes=inside, no=(clusters >= 0) & ~inside)


def _on_map(group: CellGroup, folder: Path, n_cells: int) -> Truth:
    groups = read_groups(folder)
    if group.named not in groups or group.version not in ("", group_version(groups[group.named])):
        raise RequestError(
            f"The group {group.named!r} is gone or has other cells by now.", hint="Choose it again."
        )
    inside = np.zeros(n_cells, dtype=bool)
    inside[groups[group.named]] = True
    return Truth(yes=inside, no=~inside)
