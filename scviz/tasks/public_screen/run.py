"""Fetch the archive, unpack the one file that is wanted, open it like any other file."""

from __future__ import annotations

import shutil

from scviz.datasets.fetching import fetch, unpack_member
from scviz.datasets.public_screens import MEMBER, public_screen
from scviz.datasets.readers import open_file
from scviz.errors import UnreadableFileError
from scviz.progress import Progress
from scviz.settings import GIGABYTE, Settings
from scviz.tasks.context import Context
from scviz.tasks.public_screen import Request, Result


def run(request: Request, context: Context) -> Result:
    """Carry the request out; a download that was cut off goes on with what is here already."""
    screen, settings = public_screen(request.screen), Settings.from_env()
    limit = int(settings.unpack_gb * GIGABYTE)
    folder = context.state / "download"
    archive = folder / screen.file.name
    fetch(
        screen.file.address(settings.dataverse),
        archive,
        most_bytes=screen.file.most_mb * 10**6,
        stage=f"Downloading {screen.title}",
        by_hand=screen.file.by_hand(settings.dataverse),
        report=context.report,
    )
    context.report(Progress(stage="Unpacking"))
    unpacked = folder / f"{request.screen}.h5ad"
    try:
        unpack_member(archive, MEMBER, unpacked, most_bytes=limit)
    except UnreadableFileError:
        archive.unlink()  # so that it can be fetched again
        raise
    info = open_file(
        unpacked,
        context.workspace,
        name=screen.title,
        report=context.report,
        notes=(f"Downloaded from {screen.file.address(settings.dataverse)}: {screen.study}.",),
        limit=limit,
    )
    shutil.rmtree(folder)
    return Result(dataset=info.id)
