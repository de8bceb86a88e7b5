from __future__ import annotations

import os
import time

import numpy as np

from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.price import Price

from . import Request, Result


def run(request: Request, context: Context) -> Result:
    state = context.state / "count.txt"
    draft = state.with_suffix(".draft")
    first = int(state.read_text()) if state.exists() else 0
    (context.folder / "processes.txt").write_text(f"{os.getpid()} {os.getppid()}")
    with (context.folder / "work.txt").open("a") as work:
        for unit in range(first, request.total):
            time.sleep(request.seconds)
            work.write(f"{unit}\n")
            work.flush()
            draft.write_text(str(unit + 1))
            draft.replace(state)  # a kill must not leave half of it
            context.report(Progress(stage="Counting", done=unit + 1, total=request.total))
    return Result(squares=np.arange(request.total) ** 2, counted_now=request.total - first)


def price(request: Request, context: Context) -> Price:
    with (context.folder / "asked.txt").open("a") as asked:
        asked.write("price\n")
    how = "what was asked for"
    return Price(seconds=request.total * request.seconds, gigabytes=request.gigabytes, how=how)
