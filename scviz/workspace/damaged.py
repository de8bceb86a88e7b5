"""Which records of a workspace cannot be read: lists leave them out, and a page says so."""

from __future__ import annotations

from scviz.workspace import CheckpointInfo, DatasetInfo, TermsInfo, Workspace
from scviz.workspace.plain_json import DamagedFileError
from scviz.workspace.records import read_json

KINDS: dict[str, type[DatasetInfo] | type[CheckpointInfo] | type[TermsInfo]] = {
    "datasets/*/info.json": DatasetInfo,
    "checkpoints/*/*/scviz.json": CheckpointInfo,
    "terms/*/info.json": TermsInfo,
}


def damaged_records(workspace: Workspace) -> tuple[str, ...]:
    """Say which records of datasets, checkpoints and gene terms cannot be read, a sentence each."""
    said = []
    for pattern, kind in KINDS.items():
        for path in sorted(workspace.home.glob(pattern)):
            if not workspace.lists(path.parent):
                continue
            try:
                read_json(kind, path)
            except DamagedFileError as error:
                said.append(str(error))
            except OSError as error:
                said.append(f"{path.parent.name}/{path.name} cannot be read: {error.strerror}.")
    return tuple(said)
