"""What can be asked: a package each, with Request and Result in front and `run` behind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from scviz.errors import RequestError
from scviz.workspace.records import fingerprint

TASKS = (
    "checking",
    "opening",
    "fetching",
    "public_screen",
    "gene_terms",
    "known_links",
    "mending",
    "importing",
    "downloading",
    "self_test",
    "pricing",
    "qc",
    "filtering",
    "overview",
    "embedding",
    "compare",
    "annotation",
    "transfer",
    "in_silico",
    "perturbation",
    "attention_network",
    "scenic",
    "group_genes",
    "conditions",
    "markers",
    "label_audit",
    "attribution",
    "enrichment",
    "modules",
    "enhancement",
    "pretraining",
    "exporting",
)


def front(task: str) -> ModuleType:
    """Return the module that holds TITLE, HEAVY, Request and Result of a task; imports no torch.

    HEAVY runs take turns. `QUICK = True` says that runs take seconds, need models and leave nothing behind in the
    process; `FANS_OUT = True` that several processes may share one. `VERSION = 2` says that equal questions have got
    other answers since the first one, which are then computed anew. A name with a dot is that of a package outside
    `scviz`, built alike.

    Raises
    ------
    RequestError
        If there is no such task.
    """
    if "." in task:
        return import_module(task)
    if task not in TASKS:
        raise RequestError(f"There is no task {task!r}.", hint=f"The tasks are: {', '.join(TASKS)}.")
    return import_module(f"scviz.tasks.{task}")


def question_id(task: str, asked: Mapping[str, Any]) -> str:
    """Return the hash of a question: equal ones have equal answers, until the version of the task goes up.

    Parameters
    ----------
    asked
        The request as JSON has it.
    """
    return fingerprint(task, asked, getattr(front(task), "VERSION", 1))


def refuse_beforehand(task: str, request: Any, workspace: Any) -> None:
    """Let a task refuse a request by what is known before anything is read; some tasks have nothing to refuse.

    Raises
    ------
    ScvizError
        As its run would.
    """
    name = f"{front(task).__name__}.refusals"
    if find_spec(name) is not None:
        import_module(name).refuse(request, workspace)


def back(task: str) -> ModuleType:
    """Return the module that holds `run` of a task; worker only."""
    return import_module(f"{front(task).__name__}.run")
