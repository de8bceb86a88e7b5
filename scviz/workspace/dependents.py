"""What hangs on a thing of the workspace: the runs that name it, and the runs that name these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from scviz.errors import DataError
from scviz.workspace.database import Run
from scviz.workspace.group_history import read_history
from scviz.workspace.names import not_here
from scviz.workspace.plain_json import DamagedFileError, read_plain
from scviz.workspace.records import ACCESS, read_json
from scviz.workspace.selections import FOLDER as SELECTIONS
from scviz.workspace.store import TermsInfo, Workspace

Kind = Literal["dataset", "checkpoint", "terms", "reference", "upload", "run"]

KINDS: tuple[Kind, ...] = ("dataset", "checkpoint", "terms", "reference", "upload", "run")

KEPT = "kept"
"""A file of this name in the folder of a thing keeps it from being cleaned away."""
NOT_ITS_OWN = (ACCESS, f"{ACCESS}.lock", KEPT)
"""Files beside an upload that did not come with it."""


def folder_of(workspace: Workspace, kind: Kind, identifier: str) -> Path:
    """Return the folder of a thing.

    Raises
    ------
    DataError
        If there is no such thing, or it is one that comes with scviz.
    """
    if kind == "checkpoint" and workspace.comes_along(identifier):
        raise DataError(
            f"The checkpoint {identifier} comes with scviz and cannot be deleted.",
            hint="Only what was added here can.",
        )
    shelves = {
        "dataset": workspace.dataset_folder,
        "checkpoint": workspace.checkpoint_folder,
        "terms": workspace.terms_folder,
        "reference": workspace.reference_folder,
        "upload": workspace.upload_folder,
        "run": workspace.run_folder,
    }
    folder = shelves[kind](identifier)
    if not folder.is_dir() and kind != "run":  # a run whose folder is gone still has its row
        raise not_here("terms" if kind == "terms" else f"{kind}s", identifier)
    return folder


def uploads_of(workspace: Workspace) -> list[str]:
    """List the uploads that a person sees, newest first."""
    return _listed(workspace, workspace.home / "uploads")


def references_of(workspace: Workspace) -> list[str]:
    """List the references that a person sees and that were saved here, newest first."""
    return _listed(workspace, workspace.references)


def _listed(workspace: Workspace, shelf: Path) -> list[str]:
    folders = [one for one in shelf.glob("*") if one.is_dir() and workspace.lists(one)]
    return [one.name for one in sorted(folders, key=lambda one: -one.stat().st_mtime)]


def name_of(workspace: Workspace, kind: Kind, identifier: str) -> str:
    """Return what a user calls a thing other than a run."""
    if kind == "dataset":
        return workspace.dataset(identifier).name
    if kind == "checkpoint":
        return workspace.checkpoint(identifier).name
    folder = folder_of(workspace, kind, identifier)
    if kind == "terms":
        return read_json(TermsInfo, folder / "info.json").name
    if kind == "reference":
        with suppress(DamagedFileError, OSError):  # so that one that is damaged can be deleted
            return str(read_plain(folder / "reference.json").get("name", identifier))
        return identifier
    return ", ".join(one.name for one in _files(folder)) or identifier


def upload_path(workspace: Workspace, upload: str) -> Path | None:
    """Return what came in as an upload: a file, or a folder of several; None where it is gone."""
    return next(iter(_files(folder_of(workspace, "upload", upload))), None)


def _files(upload: Path) -> list[Path]:
    return sorted(one for one in upload.iterdir() if one.name not in NOT_ITS_OWN)


def dependent_runs(kind: Kind, identifier: str, runs: Iterable[Run], *, folder: Path) -> list[Run]:
    """List the runs that cannot be shown or done again without a thing, in their order.

    Parameters
    ----------
    runs
        All there are.
    folder
        The folder of the thing: runs name an upload by its path.

    Examples
    --------
    >>> runs = [
    ...     Run(id="a", task="embedding", request={"dataset": "pbmc-1"}),
    ...     Run(id="b", task="exporting", request={"run": "a"}),
    ...     Run(id="c", task="embedding", request={"dataset": "other-2"}),
    ... ]
    >>> [run.id for run in dependent_runs("dataset", "pbmc-1", runs, folder=Path("datasets/pbmc-1"))]
    ['a', 'b']
    """
    runs = list(runs)
    inside = f"{folder}/" if kind == "upload" else None
    lost = _lost({run.id: frozenset(_texts(run.request)) for run in runs}, identifier, inside)
    return [run for run in runs if run.id in lost and run.id != identifier]


def _lost(told: Mapping[str, Collection[str]], first: str, inside: str | None) -> set[str]:
    """Follow the texts that runs name, by the id of each, from a thing on."""
    lost, more = {first}, {first}
    while more:
        more = {run for run, names in told.items() if run not in lost and _names_any(names, lost, inside)}
        lost |= more
    return lost


def _names_any(told: Collection[str], lost: Collection[str], inside: str | None) -> bool:
    return any(text in lost or (inside is not None and text.startswith(inside)) for text in told)


def _texts(value: Any) -> Iterator[str]:
    """Give every text of a request, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def goes_too(kind: Kind, folder: Path) -> tuple[str, ...]:
    """Say what else lies with a thing and goes with it."""
    if kind != "dataset":
        return ()
    n_groups = len(read_history(folder).groups)
    n_selections = len(list((folder / SELECTIONS).glob("*.rows")))
    said = []
    if n_groups:
        said.append(f"{n_groups:,} named {'group' if n_groups == 1 else 'groups'} of its cells")
    if n_selections:
        said.append(f"{n_selections:,} {'selection' if n_selections == 1 else 'selections'} that links name")
    return tuple(said)


def stays(workspace: Workspace, kind: Kind, identifier: str) -> tuple[str, ...]:
    """Say what was made from a thing and stays."""
    said = []
    if kind == "dataset":
        made = [info.name for info in workspace.datasets() if info.parent == identifier]
        if made:
            said.append(f"Datasets made from it stay, but cannot be taken back to it: {', '.join(made)}.")
        trained = [info.name for info in workspace.checkpoints() if identifier in info.trained_on]
        if trained:
            said.append(f"Checkpoints trained on it stay: {', '.join(trained)}.")
    if kind == "upload":
        said.append("Datasets that were opened from it stay.")
    return tuple(said)
