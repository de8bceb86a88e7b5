"""Fetch a table, and keep it if it can be read."""

from __future__ import annotations

from scviz.datasets.fetching import fetch
from scviz.datasets.known_links import MOST_MB
from scviz.errors import DataError
from scviz.networks.priors import read_prior
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.known_links import Request, Result


def run(request: Request, context: Context) -> Result:
    """Carry the request out; a table that is here already is not fetched again.

    Raises
    ------
    DataError
        If the table cannot be downloaded, or is no prior network.
    """
    source = request.source()
    path = context.workspace.links_folder / source.file
    fetch(
        source.address(Settings.from_env().links),
        path,
        most_bytes=MOST_MB * 10**6,
        stage="Downloading the prior network",
        by_hand=source.by_hand(),
        report=context.report,
    )
    context.report(Progress(stage="Reading the prior network"))
    try:
        prior = read_prior(path)
    except DataError as error:
        path.unlink()  # so that it can be fetched again
        raise DataError(str(error), hint=f"Try again. {source.by_hand()}") from error
    return Result(path=str(path), n_links=prior.n_links, n_regulators=len(prior.targets))
