"""Take a folder on this server in."""

from __future__ import annotations

from pathlib import Path

from scviz.tasks.context import Context
from scviz.tasks.importing import Request, Result
from scviz.tasks.intake import Source
from scviz.tasks.keeping import take_in


def run(request: Request, context: Context) -> Result:
    """Carry the request out; weights that are here already are not kept twice."""
    folder = Path(request.folder)
    source = Source(
        model=request.model,
        folder=folder,
        name=request.name,
        description=f"Weights from the folder {folder.name}.",
    )
    return take_in(source, context)
