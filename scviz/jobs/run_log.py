"""What the log of a run says: versions, sizes, stages with seconds, notes, memory; warnings come by themselves."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from typing import Any

import scviz
from scviz.errors import ScvizError
from scviz.memory import available_gb, peak_gb
from scviz.progress import Progress
from scviz.workspace import Workspace

PACKAGES = ("torch", "transformers", "anndata", "scanpy", "scikit-learn", "numpy", "scipy", "pandas")


class RunLog:
    """Prints lines to standard output, which goes to the log of the run."""

    def __init__(self) -> None:
        self._begun = self._since = time.monotonic()
        self._last: Progress | None = None
        self._notes: set[str] = set()

    def take(self, progress: Progress) -> None:
        """Say that a stage ends and another begins, and what the user should read."""
        if self._last is None or progress.stage != self._last.stage:
            self._end_stage()
            _say(f"{progress.stage}: begins")
            self._since = time.monotonic()
        if progress.note and progress.note not in self._notes:
            self._notes.add(progress.note)
            _say(f"Note: {progress.note}")
        self._last = progress

    def end(self, state: str, message: str) -> None:
        """Say how the run ended, after how long, and with how much memory."""
        self._end_stage()
        _say(f"Ends: {state}{f', {message}' if message else ''}")
        _say(f"Took {time.monotonic() - self._begun:.1f} s; peak memory {peak_gb():.2f} GB")

    def _end_stage(self) -> None:
        if self._last is not None:
            units = f", {self._last.done:,} of {self._last.total:,}" if self._last.total else ""
            _say(f"{self._last.stage}: ends after {time.monotonic() - self._since:.1f} s{units}")


def say_what_runs(task: str, request: Any, workspace: Workspace) -> None:
    """Write the task, the versions and the sizes into the log."""
    installed = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    _say(f"{task}: begins, with {available_gb():.1f} GB of memory free")
    versions = [f"scviz {scviz.__version__}", f"Python {platform.python_version()}", *installed]
    _say(f"Versions: {', '.join(versions)}; {platform.platform()}")
    if threads := os.environ.get("OMP_NUM_THREADS"):
        _say(f"Threads: {threads}")
    sizes = _sizes(request, workspace)
    if sizes:
        _say(f"Sizes: {'; '.join(sizes)}")


def _sizes(request: Any, workspace: Workspace) -> list[str]:
    """Say how large what is asked for is: cells and genes, weights, batches."""
    sizes = []
    if dataset := getattr(request, "dataset", ""):
        try:
            info = workspace.dataset(dataset)
            sizes.append(f"{info.n_cells:,} cells x {info.n_genes:,} genes ({info.name})")
        except ScvizError:  # the task will say so
            sizes.append(f"dataset {dataset}")
    named = getattr(request, "checkpoint", "")
    several = [named] if named else list(getattr(request, "checkpoints", ()))
    if several:
        sizes.append(f"checkpoint {', '.join(several)}")
    if batch_size := getattr(request, "batch_size", 0):
        sizes.append(f"batches of {batch_size} cells")
    return sizes


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201 - the log of the run
