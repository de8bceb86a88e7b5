"""Measure what a run costs besides its work: `python benchmarks/jobs.py`.

Starts an engine in a temporary workspace, hands in a task that counts, and prints the time from handing in to the
first progress (cold: the engine is started first; warm: it is there), the time a stop takes, and what the engine
needs while it waits.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "tests" / "jobs"
sys.path[:0] = [str(ROOT), str(EXAMPLES)]
os.environ["PYTHONPATH"] = str(EXAMPLES)

import psutil  # noqa: E402
from example_tasks import counting  # noqa: E402

from scviz.jobs.engine import address_file, read_engine  # noqa: E402
from scviz.jobs.queue import RunQueue  # noqa: E402
from scviz.settings import Settings  # noqa: E402

IDLE_SECONDS = 20
REPEATS = 5


def start(queue: RunQueue, label: str) -> tuple[str, float]:
    """Hand a run in; return its id and the seconds until its first progress."""
    begin = time.perf_counter()
    run = queue.submit("example_tasks.counting", counting.Request(total=400, label=label)).run
    while not queue.get(run).done:
        time.sleep(0.01)
    return run, time.perf_counter() - begin


def stop(queue: RunQueue, run: str) -> float:
    """Stop a run; return the seconds until it has ended."""
    begin = time.perf_counter()
    queue.stop(run)
    while not queue.get(run).ended:
        time.sleep(0.01)
    return time.perf_counter() - begin


def idle(pid: int) -> tuple[float, float]:
    """Return megabytes and percent of one core that the engine and its Dask worker need while they wait."""
    engine = psutil.Process(pid)
    processes = [engine, *engine.children(recursive=True)]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(IDLE_SECONDS)
    after = sum(sum(process.cpu_times()[:2]) for process in processes)
    memory = sum(process.memory_full_info().pss for process in processes)
    return memory / 1e6, 100 * (after - before) / IDLE_SECONDS


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.from_env({"SCVIZ_HOME": home})
        queue = RunQueue(settings)
        run, cold = start(queue, "cold")
        stops, warm = [stop(queue, run)], []
        for repeat in range(REPEATS):
            run, seconds = start(queue, str(repeat))
            warm.append(seconds)
            stops.append(stop(queue, run))
        queue.close()
        megabytes, percent = idle(read_engine(settings.home).pid)
        address_file(settings.home).unlink()  # the engine ends
    print(f"first progress, cold   {cold:5.2f} s")
    print(f"first progress, warm   {statistics.median(warm):5.2f} s (worst of {REPEATS}: {max(warm):.2f})")
    print(
        f"stop                   {statistics.median(stops):5.2f} s (worst of {len(stops)}: {max(stops):.2f})"
    )
    print(f"idle engine            {megabytes:5.0f} MB, {percent:.1f} % of a core")


if __name__ == "__main__":
    main()
