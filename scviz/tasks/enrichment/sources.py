"""Gene sets to test against, and sets of finished runs to ask about; light enough for pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from scviz.errors import RequestError
from scviz.networks.contract import GeneSet
from scviz.networks.gmt import programs, sets_of_terms
from scviz.tasks import TASKS, front
from scviz.tasks.enrichment import PROGRAMS
from scviz.workspace import Workspace
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import RECORD

FIELDS = ("modules", "regulons", "sets")
"""Fields of a result that hold gene sets: entries with a name and genes."""
PROGRAMS_NAME = "Programs of scviz"


def libraries(workspace: Workspace) -> dict[str, str]:
    """Name the gene sets that are here, by what a request calls them: those of the project first, then the newest."""
    return {PROGRAMS: PROGRAMS_NAME} | {info.id: info.name for info in workspace.terms()}


def library(workspace: Workspace, sets: str) -> tuple[GeneSet, ...]:
    """Read gene sets.

    Raises
    ------
    DataError
        If there are none of this name.
    """
    return programs() if sets == PROGRAMS else sets_of_terms(workspace.terms_file(sets))


def tasks_with_sets() -> tuple[str, ...]:
    """Name the tasks whose results hold gene sets."""
    return tuple(task for task in TASKS if _fields(task))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSets:
    """The gene sets of a finished run."""

    task: str
    dataset: str
    checkpoint: str
    """Weights that were used; may be empty."""
    sets: Mapping[str, tuple[str, ...]]
    compared: tuple[str, ...]
    """Genes among which they were found; empty where the run does not say."""
    most_genes: int
    """Or: as many of the most variable genes; 0 where the run does not say."""


def sets_of_run(workspace: Workspace, run: str) -> RunSets:
    """Read the gene sets of a finished run.

    Raises
    ------
    RequestError
        If there is no such result, or it holds no gene sets.
    """
    folder = workspace.run_folder(run)
    try:
        asked = read_plain(folder / "request.json")
        found = read_plain(folder / "result" / RECORD)
    except OSError as error:
        raise RequestError(
            f"There is no finished run {run!r}.", hint="`python -m scviz runs` and the Runs page list them."
        ) from error
    fields = _fields(asked["task"])
    if not fields:
        raise RequestError(
            f"The run {run!r} holds no gene sets.",
            hint="Choose one with modules, regulons, markers or genes of two groups.",
        )
    request = asked["request"]
    return RunSets(
        task=asked["task"],
        dataset=request["dataset"],
        checkpoint=request.get("checkpoint") or "",
        sets={one["name"]: tuple(one["genes"]) for field in fields for one in found[field]},
        compared=tuple(found.get("genes", ())),
        most_genes=int(request.get("most_genes") or 0),
    )


def _fields(task: str) -> list[str]:
    names = {field.name for field in dataclasses.fields(front(task).Result)}
    return [name for name in FIELDS if name in names]
