"""Which records of a workspace cannot be read: lists leave them out, and a page says so."""

from __future__ import annotations

from scviz.workspace import CheckpointInfo, DatasetInfo, TermsInfo, Workspace
from scviz.workspace.plain_json import DamagedFileError
from scviz.workspace.records import read_json

AGAIN = "Whoever keeps this server may let it be read, or put back a copy."

KINDS: dict[str, tuple[str, type[DatasetInfo] | type[CheckpointInfo] | type[TermsInfo]]] = {
    "datasets/*/info.json": ("dataset", DatasetInfo),
    "checkpoints/*/*/scviz.json": ("checkpoint", CheckpointInfo),
    "terms/*/info.json": ("set of gene annotations", TermsInfo),
}
"""Where records lie, what each is called, and what it holds."""


def damaged_records(workspace: Workspace) -> tuple[str, ...]:
    """Say which datasets, checkpoints and gene annotations cannot be read, why, and what to do."""
    said = []
    for pattern, (noun, kind) in KINDS.items():
        for path in sorted(workspace.home.glob(pattern)):
            if not workspace.lists(path.parent):
                continue
            try:
                read_json(kind, path)
            except DamagedFileError as error:
                said.append(f"The {noun} {path.parent.name} cannot be read. {error} {error.hint}")
            except OSError as error:
                said.append(f"The {noun} {path.parent.name} cannot be read: {error.strerror}. {AGAIN}")
    return tuple(said)
