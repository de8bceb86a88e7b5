"""Measure what a viewer of a live curve costs: `python -m benchmarks.curves [BATCHES]`.

Writes the events of a run that trains, and prints the processor time of one look, as it was (all events read and drawn
anew) and as it is (what is new, drawn when there is a new point), while a hundred batches come between two looks.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scviz.jobs.course import read_events
from scviz.jobs.curves import Curve
from scviz.plots.curves import loss_figure

LOOKS, BETWEEN = 20, 100


def event(done: int) -> str:
    """Write what a batch of training reports."""
    values = {"loss": 1 + 1 / (done + 1)}
    return (
        json.dumps({"time": 0.0, "stage": "Training", "done": done, "total": 0, "values": values, "note": ""})
        + "\n"
    )


def read_all(folder: Path) -> None:
    """Read and draw everything, as it was."""
    events = [one for one in read_events(folder) if one.get("values")]
    loss_figure(
        [one["done"] for one in events], [one["values"]["loss"] for one in events], (), validation_losses=()
    ).to_json()


def follow(folder: Path) -> Callable[[], None]:
    """Read what is new and draw what has changed, as it is."""
    curve, drawn = Curve(folder / "events.jsonl"), dict[int, str]()

    def look() -> None:
        version = curve.look()
        if version not in drawn:
            line = curve.line("loss")
            drawn[version] = loss_figure(line.x, line.y, (), validation_losses=()).to_json()

    return look


def seconds_of(look: Callable[[], None], folder: Path, done: int) -> float:
    """Return the median processor time of a look, in seconds, while batches come."""
    look()
    spent = []
    for i in range(LOOKS):
        with (folder / "events.jsonl").open("a") as file:
            file.writelines(event(done + i * BETWEEN + j) for j in range(BETWEEN))
        begin = time.process_time()
        look()
        spent.append(time.process_time() - begin)
    return statistics.median(spent)


def main(n_batches: int) -> None:
    """Print both and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.jsonl").write_text("".join(map(event, range(n_batches))))
        after = seconds_of(follow(folder), folder, n_batches)
        before = seconds_of(lambda: read_all(folder), folder, n_batches)
    print(
        f"{n_batches:,} batches: a look took {before:.3f} s, takes {after:.5f} s, {before / after:,.0f} times less"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
