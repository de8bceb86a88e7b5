"""Download into the folder of the run, then take the files in as any other folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from scviz.foundation.sources import download
from scviz.models import cards
from scviz.tasks.context import Context
from scviz.tasks.downloading import Request, Result
from scviz.tasks.intake import Source
from scviz.tasks.keeping import take_in


def run(request: Request, context: Context) -> Result:
    """Carry the request out; a run that was cut off goes on with what is here already."""
    released = cards()[request.model].release(request.released)
    folder = context.state / "download"
    download(released, folder, report=context.report)
    for pattern in released.beside:
        for path in Path(request.beside).glob(pattern):
            shutil.copyfile(path, folder / path.name)
    source = Source(
        model=request.model,
        folder=folder,
        name=released.name,
        description=f"Downloaded from {released.hub} at huggingface.co. {released.description}",
        released=released.name,
    )
    result = take_in(source, context)
    shutil.rmtree(folder)  # our own format is kept; these would take the same room again
    return result
