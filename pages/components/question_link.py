"""A question that has not been handed in, in the address: a link opens the form as it was left."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pages.components import state
from scviz.errors import ScvizError
from scviz.workspace.database import Run
from scviz.workspace.plain_json import DamagedFileError, parse_plain
from scviz.workspace.records import from_json, to_json

LINK, TASK = "ask", "task"
LONGEST = 3_000
"""Letters; a longer question is not put into the address, as mail programs break such addresses."""
OF_PAGE = ("dataset", "checkpoint")
"""Fields that the address names by themselves."""


def question_text(task: str, request: Any) -> str:
    """Write a Request of a task for an address: what differs from its defaults."""
    first = {field.name: field.default for field in dataclasses.fields(request)}
    said = {
        name: _short(value)
        for name, value in to_json(request).items()
        if name not in OF_PAGE and getattr(request, name) != first[name]
    }
    return json.dumps({TASK: task, **said}, separators=(",", ":"), ensure_ascii=False)


def linked_task() -> str:
    """Return the task of the question that a link brings; empty for none."""
    return str(_read(state.from_others(LINK)).get(TASK, ""))


def linked_question(task: str, request: type) -> dict[str, Any] | None:
    """Take the question that a link brings for a task, all fields of it; None where there is none.

    Parameters
    ----------
    request
        The Request of the task.
    """
    text = state.from_others(LINK)
    if not text:
        return None
    said = _read(text)
    if said.get(TASK) not in (None, task):
        return None
    state.put(LINK, text)  # taken: from now on it is this session's own
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    own = {"dataset": dataset.id if dataset else "", "checkpoint": checkpoint.id if checkpoint else ""}
    asked = _asked(request, {**own, **said}) if said else None
    if asked is None:
        state.left_out("The link's question cannot be read, so the form is as it would be without.")
        return None
    state.keep(_awaited(task), json.dumps(asked))
    return asked


def _asked(request: type, said: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return to_json(from_json(request, said))
    except (ScvizError, ValueError, TypeError):
        return None


def link_question(task: str, request: Any, run: Run | None) -> None:
    """Put a Request that a form gave into the address, unless it is the question of the run that stands there.

    Parameters
    ----------
    request
        Anything else, such as what is missing, takes the question out.
    """
    if not dataclasses.is_dataclass(request) or not hasattr(request, "dataset"):
        state.put(LINK, None)
        return
    asked = to_json(request)
    _compare(task, asked)
    if run is not None and not differs(asked, run.request):
        state.put(LINK, None)
        return
    text = question_text(task, request)
    state.put(LINK, text if len(text) <= LONGEST else None)


def _compare(task: str, asked: Mapping[str, Any]) -> None:
    """Say so where the form could not be set to the question of the link."""
    wanted = state.kept(_awaited(task))
    if wanted:
        state.keep(_awaited(task), None)
        if differs(asked, parse_plain(wanted, name="The link"), OF_PAGE):
            state.left_out(
                "The link asks for cells or settings that are not here; look at the form before you run it."
            )


def differs(
    asked: Mapping[str, Any], answered: Mapping[str, Any], changes_nothing: Sequence[str] = ()
) -> bool:
    """Tell whether two questions differ in what both of them hold.

    Examples
    --------
    >>> differs({"seed": 1, "new": 2}, {"seed": 1})
    False
    >>> differs({"seed": 1}, {"seed": 2})
    True
    """
    both = (asked.keys() & answered.keys()) - set(changes_nothing)
    return any(asked[name] != answered[name] for name in both)


def _read(text: str) -> dict[str, Any]:
    """Read an object of JSON; empty for anything else."""
    try:
        said: dict[str, Any] = parse_plain(text, name="The link") if text else {}
    except DamagedFileError:
        return {}
    return said


def _short(value: Any) -> Any:
    """Leave out what is empty in the parts of a question."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part not in ("", None, 0)}
    return [_short(one) for one in value] if isinstance(value, list) else value


def _awaited(task: str) -> str:
    return f"question_awaited_{task}"
