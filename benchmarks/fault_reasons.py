"""What may be said of a run after a fault: how sentences begin that are true, by the kind of the fault."""

from __future__ import annotations

from scviz.jobs.signs import HELD, IGNORED, NOT_BEGUN, RESTARTED
from scviz.jobs.supervisor import CUT_OFF, WORKER_ENDED

STOPPED = "stopped by its user"
TRUE = {
    "kill -9 of the child": ("The worker process was ended by signal 9",),
    "kill -9 of the Dask worker": (WORKER_ENDED,),
    "kill -9 of the engine": (RESTARTED, WORKER_ENDED),
    "kill -9 of the web server": (NOT_BEGUN,),
    "SIGSTOP of the child": (STOPPED,),
    "SIGSTOP of the Dask worker": (STOPPED, IGNORED, HELD),
    "SIGSTOP of the engine": (RESTARTED, WORKER_ENDED),
    "disk full": ("The disk of the workspace is full",),
    "read-only folder": ("The workspace cannot be used now: it is read only.",),
    "workspace moved": (RESTARTED, "The folder of the run is gone"),
    "network cut between workers": (CUT_OFF,),
}
"""After other kinds, such as a database that was away, a run goes on by itself, and nothing may be said."""


def is_true(kind: str, words: str) -> bool:
    """Tell whether what is said of a run fits what was done to it; nothing does where it went on by itself."""
    return not words or words.startswith(TRUE.get(kind, ("\0",)))
