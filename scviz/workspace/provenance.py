"""What a reader of a number must know of where it comes from: small weights, simulated cells, cells seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scviz.errors import ScvizError
from scviz.workspace.store import CheckpointInfo, DatasetInfo, Seen, Workspace

DEMO = "small blood models of this project, not the published ones"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Of the cells and checkpoints of one run; names, not ids."""

    dataset: str
    checkpoints: tuple[str, ...] = ()
    demo: tuple[str, ...] = ()
    """Checkpoints that are small models of this project."""
    judged: tuple[str, ...] = ()
    """What these were found to be worth on cells that they never saw, a sentence each."""
    simulated: bool = False
    """Whether the cells were never measured."""
    seen: tuple[str, ...] = ()
    """Checkpoints that were trained on these very cells, or on some of them."""
    not_known: tuple[str, ...] = ()
    """Checkpoints of which nobody here knows whether they were."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say what limits the numbers, a sentence each."""
        said = []
        if self.demo:
            said.append(f"{_names(self.demo)}: {DEMO}. Their numbers say nothing of the published models.")
            said += self.judged
        if self.seen:
            verb = "was" if len(self.seen) == 1 else "were"
            said.append(
                f"{_names(self.seen)} {verb} trained on these very cells, or on some of them, so the numbers are "
                "better than they would be on new ones."
            )
        if self.not_known:
            said.append(f"Whether {_names(self.not_known)} saw these cells in training is not known.")
        if self.simulated:
            said.append("These cells are simulated, not measured.")
        return tuple(said)

    @property
    def mark(self) -> str:
        """Mark a figure or file in a few words; empty where nothing limits its numbers."""
        marks = [DEMO if self.demo else "", "simulated cells" if self.simulated else ""]
        marks.append("cells seen in training" if self.seen else "")
        return ", ".join(mark for mark in marks if mark)


def provenance(workspace: Workspace, request: Mapping[str, Any]) -> Provenance:
    """Tell where the numbers of a run come from.

    Parameters
    ----------
    request
        The fields of its Request, as JSON holds them; datasets and checkpoints that are gone tell nothing.
    """
    dataset = _dataset(workspace, str(request.get("dataset", "")))
    infos = [info for one in checkpoints_of(request) if (info := _checkpoint(workspace, one)) is not None]
    told = _by_seen(workspace, infos, dataset)
    return Provenance(
        dataset=dataset.name if dataset else "",
        checkpoints=_names_of(infos),
        demo=_names_of([info for info in infos if info.demo]),
        judged=tuple(sentence for info in infos if info.demo for sentence in info.judged),
        simulated=bool(dataset and dataset.simulated),
        seen=told["seen"],
        not_known=told["not known"],
    )


def _by_seen(
    workspace: Workspace, infos: Sequence[CheckpointInfo], dataset: DatasetInfo | None
) -> dict[Seen, tuple[str, ...]]:
    """Name the checkpoints that have seen the cells of a dataset in training, those that have not, and the others."""
    told: dict[Seen, list[CheckpointInfo]] = {"seen": [], "not seen": [], "not known": []}
    if dataset is not None:
        for info in infos:
            told[workspace.seen_in_training(info.id, dataset.id)].append(info)
    return {seen: _names_of(own) for seen, own in told.items()}


def checkpoints_of(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the checkpoints that a request reads, each once."""
    methods = [
        method.get("checkpoint", "") for method in request.get("methods", ()) if isinstance(method, Mapping)
    ]
    used = [*request.get("checkpoints", ()), request.get("checkpoint") or "", *methods]
    return tuple(one for one in dict.fromkeys(used) if one)


def _dataset(workspace: Workspace, identifier: str) -> DatasetInfo | None:
    try:
        return workspace.dataset(identifier) if identifier else None
    except ScvizError:
        return None


def _checkpoint(workspace: Workspace, identifier: str) -> CheckpointInfo | None:
    try:
        return workspace.checkpoint(identifier)
    except ScvizError:
        return None


def _names_of(infos: Sequence[CheckpointInfo]) -> tuple[str, ...]:
    return tuple(info.name for info in infos)


def _names(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
