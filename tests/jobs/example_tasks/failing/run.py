from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np

from scviz.errors import CountsError
from scviz.progress import Progress
from scviz.tasks.context import Context

from . import Request, Result


def run(request: Request, context: Context) -> Result:
    context.report(Progress(stage="Getting ready", note="This will not end well."))
    match request.how:
        case "hint":
            raise CountsError("No matrix holds raw counts.", hint="Open another file.")
        case "bug":
            raise KeyError("louvain")
        case "memory":
            np.ones(10**9)  # 8 GB
        case "exit":
            sys.exit(3)
        case "abort":  # as C++ ends where it gets no memory
            sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
            sys.stderr.flush()
            os.abort()
        case "mute":  # as Python says it where a library gets none
            kept = _all_there_is()
            raise SystemError(f"error return without exception set, {len(kept)}")
        case "deaf":
            time.sleep(600)  # never reports
        case "family":
            helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (context.folder / "helper.txt").write_text(str(helper.pid))
            time.sleep(600)
    return Result()


def _all_there_is() -> list[bytearray]:
    kept: list[bytearray] = []
    with suppress(MemoryError):
        while True:
            kept.append(bytearray(10**7))
    return kept[:-1]
