"""Look a file up, or fetch it and put it among the uploads."""

from __future__ import annotations

from scviz.datasets.public_address import web_address
from scviz.datasets.public_files import Limits, fetch_public, look_up
from scviz.progress import Progress
from scviz.settings import GIGABYTE, Settings
from scviz.tasks.context import Context
from scviz.tasks.fetching import Request, Result
from scviz.workspace.limits import guard_of


def run(request: Request, context: Context) -> Result:
    """Carry the request out; a file that was cut off goes on where it ended.

    Raises
    ------
    RequestError
        If it is no address of a public place.
    DataError
        If there is no file, or a larger one than may be fetched.
    LimitError
        If whoever asks, or the server, would have more uploads or more on the disk than may be.
    """
    settings = Settings.from_env()
    guard, person = guard_of(settings, context.workspace), context.workspace.person
    limits = Limits(
        most_bytes=int(settings.fetch_gb * GIGABYTE),
        also=settings.fetch_from,
        may_come=lambda size, here: guard.before_upload(person.id, size, here=here),
    )
    url = web_address(request.url, limits.also)
    context.report(Progress(stage="Asking for the file"))
    if request.look:
        offer = look_up(url, limits)
        return Result(name=offer.name, host=offer.host, n_bytes=offer.size)
    found = fetch_public(url, context.state / "fetch", limits, report=context.report)
    path = context.workspace.new_upload(context.folder.name) / found.offer.name
    found.path.replace(path)
    changed = "It had changed at its place since the first part of it came, so that all was fetched anew."
    return Result(
        name=found.offer.name,
        host=found.offer.host,
        n_bytes=path.stat().st_size,
        path=str(path),
        notes=(f"Fetched from {url}.", *([changed] if found.changed else [])),
    )
