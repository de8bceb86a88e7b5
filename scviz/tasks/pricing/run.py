"""Ask a task for its price."""

from __future__ import annotations

from scviz.errors import UnsupportedTaskError
from scviz.settings import Settings
from scviz.tasks import back, front
from scviz.tasks.context import Context
from scviz.tasks.needs import refuse_idle
from scviz.tasks.pricing import Request, Result
from scviz.workspace.limits import room_of
from scviz.workspace.records import from_json


def run(request: Request, context: Context) -> Result:
    """Let the task time a few batches of the request.

    Raises
    ------
    UnsupportedTaskError
        If the task estimates neither.
    """
    price = getattr(back(request.task), "price", None)
    if price is None:
        raise UnsupportedTaskError(
            f"Time and memory of {request.task} are not estimated.", hint="Just run it."
        )
    free = room_of(Settings.from_env()).gigabytes
    asked = from_json(front(request.task).Request, request.request)
    refuse_idle(request.task, asked, context.workspace)
    return Result(price=price(asked, context), available_gb=free)
