"""Changes of the named groups by any page: each is noted, so that Undo on Explore takes that very one back."""

from __future__ import annotations

from functools import partial

from pages.components import state
from pages.components.undo import Change, record
from scviz.workspace.group_history import Step
from scviz.workspace.groups import redo, undo


def who() -> str:
    """Return who changes groups; empty where nobody logs in."""
    return state.person().called if state.settings().login else ""


def record_step(dataset: str, step: Step | None) -> None:
    """Note what the user has changed; nothing where the groups stayed as they were."""
    if step is not None:
        record(dataset, step_change(dataset, step))


def step_change(dataset: str, step: Step, by: str = "") -> Change:
    """Return a step as a change that can be taken back and done again, and no other step with it.

    Parameters
    ----------
    by
        Who made it, to be said.
    """
    said = f"{step.what} ({by})" if by else step.what
    return Change(kind="groups", what=said, before=-1, after=1, go=partial(_go, dataset, step))


def _go(dataset: str, step: Step, way: int) -> bool:
    """Take the step back, or do it again."""
    folder = state.workspace().folder_to_change(dataset)
    return bool(undo(folder, step=step) if way < 0 else redo(folder, step=step))
