"""Runs in words."""

from __future__ import annotations

from datetime import datetime

from pages.components import state
from scviz.errors import ScvizError
from scviz.models import cards
from scviz.tasks import front
from scviz.workspace.database import Run


def dataset_name(run: Run) -> str:
    """Return the name of the dataset a run works on, or the file it opens."""
    identifier = run.request.get("dataset", "")
    try:
        return state.workspace().dataset(identifier).name if identifier else str(run.request.get("name", ""))
    except ScvizError:
        return str(identifier)


def model_name(run: Run) -> str:
    """Return the names of the weights a run uses; empty for runs without a model."""
    methods = [method.get("checkpoint", "") for method in run.request.get("methods", ())]
    used = [*run.request.get("checkpoints", ()), run.request.get("checkpoint", ""), *methods]
    return ", ".join(checkpoint_name(identifier) for identifier in dict.fromkeys(used) if identifier)


def read_depth(run: Run) -> str:
    """Say at which depth a run reads cells; empty where that was left to the model."""
    depth = run.request.get("read_depth", "")
    if not depth:
        return ""
    model = run.request["checkpoint"].partition("/")[0]
    return f"each cell read as if it had {cards()[model].read_depths.get(depth, depth)}"


def genes_read(run: Run) -> str:
    """Say which genes a run reads; empty where it reads all."""
    most = run.request.get("most_genes", 0)
    return f"the {most:,} most variable genes" if run.task == "embedding" and most else ""


def checkpoint_name(identifier: str) -> str:
    """Return the name of weights, or their id when they are gone."""
    try:
        return state.workspace().checkpoint(identifier).name
    except ScvizError:
        return str(identifier)


def finished_map(dataset: str, checkpoint: str) -> str:
    """Return the newest finished map of these cells by these weights, empty if there is none."""
    for run in state.queue().runs(states=("done",), owner=state.owner()):
        asked = (run.request.get("dataset"), run.request.get("checkpoint"))
        if run.task == "embedding" and asked == (dataset, checkpoint):
            return str(run.id)
    return ""


def describe(run: Run) -> str:
    """Say in a line what a run does."""
    parts = (front(run.task).TITLE, dataset_name(run), model_name(run), read_depth(run), genes_read(run))
    return " · ".join(part for part in parts if part)


def link_to(run: Run) -> dict[str, str]:
    """Return what a link to the result of a run carries: its dataset, its checkpoint and its id."""
    own = {name: str(run.request[name]) for name in ("dataset", "checkpoint") if run.request.get(name)}
    return {**state.link(), **own, "run": run.id}


def clock(seconds: float | None) -> str:
    """Write a point in time.

    Examples
    --------
    >>> clock(None)
    ''
    """
    return datetime.fromtimestamp(seconds).strftime("%d %b %H:%M") if seconds else ""
