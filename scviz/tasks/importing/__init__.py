"""Take a folder of published or own weights into the workspace, checked tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError
from scviz.tasks.intake import Taken

TITLE = "Add weights"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which folder, and what to call it."""

    model: str
    folder: str
    """A folder on the server, in the layout its authors publish or in ours."""
    name: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise RequestError("The weights need a name.", hint="Type one, such as the folder's.")


Result = Taken
