"""Open a file, the demo data, or a simulated screen."""

from __future__ import annotations

from pathlib import Path

from scviz.datasets.choices import Opening
from scviz.datasets.demo import open_demo
from scviz.datasets.readers import open_file
from scviz.datasets.simulated import simulation
from scviz.datasets.simulator import open_simulated
from scviz.tasks.bounds import unpack_limit
from scviz.tasks.context import Context
from scviz.tasks.opening import Request, Result
from scviz.tasks.way_round import is_turned


def run(request: Request, context: Context) -> Result:
    """Open what is asked for; a file that is open already is found again."""
    if request.demo:
        return Result(dataset=open_demo(context.workspace, context.report).id)
    if request.simulated:
        chosen = simulation(request.simulated, request.seed)
        return Result(
            dataset=open_simulated(chosen, context.workspace, context.state, report=context.report).id
        )
    info = open_file(
        Path(request.path),
        context.workspace,
        name=request.name,
        choices=Opening(
            counts_location=request.counts_location,
            turned=is_turned(request.turned),
            part=request.part,
            keep_names=request.keep_names,
            relative=request.relative,
        ),
        report=context.report,
        limit=unpack_limit(Path(request.path)),
    )
    return Result(dataset=info.id)
