"""Make the finished runs that come with scviz, by carrying them out.

    python assets/demo/make.py [NAME ...]

Opens the demo data in a workspace of its own, runs what `WANTED` asks, or the named ones of it alone, and puts the
folder of each run beside this file: request, result, events and log, arrays packed, and `made.json`. A run may rest on
those above it; of these the ones that are not named are taken as they lie here. To ship one more, add a line to
`WANTED` and name it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

import scviz  # noqa: E402
from scviz.datasets.demo import open_demo  # noqa: E402
from scviz.jobs import engine, processes  # noqa: E402
from scviz.jobs.queue import RunQueue  # noqa: E402
from scviz.jobs.shipped import MADE, Made, Shelf, placeholder, shipped_runs, take_in  # noqa: E402
from scviz.settings import Settings  # noqa: E402
from scviz.tasks import annotation, embedding, in_silico, overview  # noqa: E402
from scviz.tasks.filters import Filter  # noqa: E402
from scviz.workspace.database import OPEN, Run  # noqa: E402
from scviz.workspace.records import content_hash, file_hash, write_json  # noqa: E402

CHECKPOINT = "geneformer/geneformer-blood"
LABELS = "bulk_labels"
EVERY = 10
"""Of the losses of training, one in so many is kept."""
Ask = Callable[[str, Mapping[str, str]], Any]
"""Gives the request about a dataset; what was made before it stands by its name, as the id of its run."""

WANTED: dict[str, tuple[str, Ask]] = {
    "overview": ("overview", lambda cells, _: overview.Request(dataset=cells)),
    "map": ("embedding", lambda cells, _: embedding.Request(dataset=cells, checkpoint=CHECKPOINT)),
    "types": (
        "annotation",
        lambda cells, _: annotation.Request(dataset=cells, checkpoint=CHECKPOINT, label_key=LABELS),
    ),
    "knock-out": (
        "in_silico",
        lambda cells, made: in_silico.Request(
            dataset=cells,
            checkpoint=CHECKPOINT,
            genes=("LYZ",),
            cells=(Filter(column=LABELS, values=("CD14+ Monocyte",)),),
            label_key=LABELS,
            map_run=made["map"],
        ),
    ),
}
"""What is made, in this order."""


def main(names: list[str]) -> None:
    """Make the runs of these names, all without a name."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        queue = RunQueue(Settings(home=home, data_roots=(home / "data",), spare=False))
        try:
            cells = open_demo(queue.workspace).id
            made = {} if not names else taken_in(queue)
            for name in names or WANTED:
                task, ask = WANTED[name]
                made[name] = carried_out(queue, task, ask(cells, made))
                print(f"{name}: {task} is done", flush=True)
            for name in names or WANTED:
                size = ship(name, queue.database.get(made[name]), queue, made=made)
                print(f"{name}: {size / 1000:,.0f} kB")
        finally:
            queue.close()
            engine.address_file(home).unlink(missing_ok=True)  # ends it
            time.sleep(3)


def taken_in(queue: RunQueue) -> dict[str, str]:
    """Take in what lies here already; returns the id of each run by its name."""
    shelf = Shelf(workspace=queue.workspace, database=queue.database)
    take_in(shelf)
    return {name: shelf.name_of(name, made) for name, made in shipped_runs().items()}


def carried_out(queue: RunQueue, task: str, request: Any) -> str:
    """Run a request to its end and return the id of the run."""
    run = queue.submit(task, request, again=True).run
    while queue.get(run).state in OPEN:
        time.sleep(1)
    if queue.get(run).state != "done":
        sys.exit(f"{task}: {queue.get(run).message}\n{queue.log(run)}")
    return run


def ship(name: str, run: Run, queue: RunQueue, *, made: Mapping[str, str]) -> int:
    """Put the folder of a run beside this file, without what `assets` has already; returns its bytes."""
    source, target = queue.workspace.run_folder(run.id), HERE / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("state", ".*", "*.lock", processes.FILE))
    known = {file_hash(path): path for path in sorted((HERE.parent / "checkpoints").glob("*/*"))}
    equal = {}
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        if (asset := known.get(file_hash(path)) or same_weights(path)) is not None:
            equal[path.relative_to(target).as_posix()] = asset.relative_to(HERE.parent).as_posix()
            path.unlink()
        elif path.suffix == ".npz":
            pack(path)
        elif path.name == "events.jsonl":
            thin_out(path)
        elif path.suffix == ".json":
            path.write_text(without_ids(path.read_text("utf-8"), made), encoding="utf-8")
    facts = Made(
        task=run.task,
        dataset=str(run.request["dataset"]),
        version=scviz.__version__,
        stamp=content_hash(target),
        created=run.created,
        started=run.started,
        ended=run.ended,
        note=run.note,
        equal=equal,
    )
    write_json(facts, target / MADE)
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def same_weights(path: Path) -> Path | None:
    """Find the weights among the assets that are these, kept there in half as many bytes."""
    if path.suffix != ".safetensors":
        return None
    own = load_file(path)
    for asset in sorted((HERE.parent / "checkpoints").glob("*/*.safetensors")):
        kept = load_file(asset)
        if own.keys() == kept.keys() and all(torch.equal(own[name], kept[name].float()) for name in own):
            return asset
    return None


def thin_out(path: Path) -> None:
    """Keep a part of the losses, as many as a curve needs; all else that was reported stays."""
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    kept = [
        event for event in events if event.get("values", {}).keys() != {"loss"} or event["done"] % EVERY == 0
    ]
    path.write_text("".join(f"{json.dumps(event)}\n" for event in kept), encoding="utf-8")


def pack(path: Path) -> None:
    """Write arrays anew, compressed."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def without_ids(text: str, made: Mapping[str, str]) -> str:
    """Put names of runs where their ids stand; JSON on one line."""
    for name, run in made.items():
        text = text.replace(run, placeholder(name))
    return json.dumps(json.loads(text), separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1:])
