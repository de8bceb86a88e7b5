"""What a run was estimated to take, where its owner has asked before handing it in."""

from __future__ import annotations

from scviz.jobs.lines import is_heavy
from scviz.tasks import pricing, question_id
from scviz.workspace import Workspace
from scviz.workspace.database import Database, Run
from scviz.workspace.records import RECORD, read_record, to_json


def estimate_of(run: Run, database: Database, *, workspace: Workspace) -> pricing.Result | None:
    """Read the estimate that the owner of a heavy run has of its request; None where there is none.

    Parameters
    ----------
    run
        It may be new to the database.
    """
    if not is_heavy(run.task):
        return None
    asked = question_id("pricing", to_json(pricing.question_of(run.task, run.request)))
    for row in database.runs(["done"], run.owner, fingerprint=asked, limit=1):
        folder = workspace.run_folder(row.id) / "result"
        if (folder / RECORD).exists():
            return read_record(pricing.Result, folder)
    return None
