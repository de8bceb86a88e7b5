"""Runs in words."""

from __future__ import annotations

from datetime import datetime

from pages.components import state
from scviz.errors import ScvizError
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
    """Return the name of the weights a run uses; empty for runs without a model."""
    identifier = run.request.get("checkpoint", "")
    try:
        return state.workspace().checkpoint(identifier).name if identifier else ""
    except ScvizError:
        return str(identifier)


def describe(run: Run) -> str:
    """Say in a line what a run does."""
    return " · ".join(part for part in (front(run.task).TITLE, dataset_name(run), model_name(run)) if part)


def clock(seconds: float | None) -> str:
    """Write a point in time.

    Examples
    --------
    >>> clock(None)
    ''
    """
    return datetime.fromtimestamp(seconds).strftime("%d %b %H:%M") if seconds else ""
