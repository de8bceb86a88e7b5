"""Look into a file; one of another format is turned into h5ad on the way, and kept until it is opened."""

from __future__ import annotations

from pathlib import Path

from scviz.datasets.arriving.contract import Choices
from scviz.datasets.arriving.readers import arrive
from scviz.datasets.doctor import check_file
from scviz.tasks.bounds import unpack_limit
from scviz.tasks.checking import Request, Result
from scviz.tasks.checking.coverage import read_by
from scviz.tasks.context import Context
from scviz.tasks.way_round import is_turned
from scviz.workspace.records import content_hash

PER_VALUE = 16
"""Bytes of a value in an opened dataset: by cell and by gene."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    path = Path(request.path)
    limit = unpack_limit(path)
    turned = is_turned(request.turned)
    arrived = arrive(
        path,
        context.workspace.arrived,
        Choices(turned=turned, part=request.part),
        content=lambda: content_hash(path),
        limit=limit,
        report=context.report,
    )
    if arrived.arrival is None:
        card = check_file(arrived.path, limit=limit, turned=turned)
    else:
        turned = arrived.arrival.left_to_turn(turned)
        card = check_file(arrived.path, limit=limit, turned=turned, counted=arrived.arrival.counted)
    counts = [one for one in card.matrices if one.location == card.counts] or list(card.matrices[:1])
    own = arrived.path.stat().st_size
    return Result(
        card=card,
        arrival=arrived.arrival,
        size=own + sum(PER_VALUE * one.n_values for one in counts),
        read_by=read_by(arrived.path, card, context.workspace) if card.matrices else (),
    )
