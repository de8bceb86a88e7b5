"""What commands share: find the dataset and the checkpoint, hand a request in, wait, print and write what came out."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from scviz.cli.fields import begin_as_the_page
from scviz.cli.words import DATASET
from scviz.datasets.label_terms import LabelTerm
from scviz.errors import JobError, RequestError
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import exporting, opening, public_screen
from scviz.tasks.needs import refuse_idle
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter
from scviz.workspace.database import OPEN, Run, time_left
from scviz.workspace.provenance import provenance
from scviz.workspace.records import stamp_of, to_json

Ask = TypeVar("Ask")


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Offer the choice of dataset and checkpoint."""
    parser.add_argument("dataset", help=DATASET)
    parser.add_argument("--checkpoint", default="", help="id of the checkpoint; default: the newest")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Offer files with one row or entry per cell."""
    parser.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    parser.add_argument("--csv", type=Path, help="write one row per cell here")


def given(options: argparse.Namespace, request: type) -> dict[str, Any]:
    """Take the options that are fields of a request."""
    names = {field.name for field in dataclasses.fields(request)}
    return {name: value for name, value in vars(options).items() if name in names}


def subject(options: argparse.Namespace, settings: Settings) -> tuple[str, str]:
    """Find the dataset and the checkpoint.

    Raises
    ------
    RequestError
        If no checkpoint is named and none is here.
    """
    checkpoints = Workspace.from_settings(settings).checkpoints()
    if not options.checkpoint and not checkpoints:
        raise RequestError(
            "There is no checkpoint here.", hint="Import one with `python -m scviz models import`."
        )
    return dataset_of(options.dataset, settings), options.checkpoint or checkpoints[0].id


def request_about(request: type[Ask], options: argparse.Namespace, settings: Settings) -> Ask:
    """Turn options into a request about the dataset and the checkpoint that they name."""
    dataset, checkpoint = subject(options, settings)
    begin_as_the_page(options, request, Workspace.from_settings(settings).dataset(dataset))
    return request(**given(options, request) | {"dataset": dataset, "checkpoint": checkpoint})


def dataset_of(text: str, settings: Settings, *, name: str = "", **choices: Any) -> str:
    """Return the id of an open dataset; open it if a file, the demo or a simulated screen is named.

    Parameters
    ----------
    choices
        Fields of the request that opens a file.
    """
    workspace = Workspace.from_settings(settings)
    if text in {info.id for info in workspace.datasets()}:
        return text
    if text.startswith("public:"):
        published = public_screen.Request(screen=text.removeprefix("public:"))
        return str(carry_out("public_screen", published, settings)[1].dataset)
    request = opening.request_of(text)
    if request is None:
        path = Path(text).expanduser().resolve()
        stamp = stamp_of(path) if path.exists() else ""
        request = opening.Request(path=str(path), name=name or path.stem, stamp=stamp, **choices)
    _, result = carry_out("opening", request, settings)
    return str(result.dataset)


def carry_out(task: str, request: Any, settings: Settings) -> tuple[str, Any]:
    """Hand a request in, show its progress and return the run and its result.

    Raises
    ------
    ScvizError
        If it could do nothing, which is told before it is handed in.
    JobError
        If it fails or is stopped.
    """
    queue = RunQueue(settings)
    refuse_idle(task, request, queue.workspace)
    submitted = queue.submit(task, request)
    if submitted.cached:
        print(f"{task}: answered by run {submitted.run}", file=sys.stderr)
    wait(queue, submitted.run)
    return submitted.run, queue.result(submitted.run)


def wait(queue: RunQueue, run_id: str) -> None:
    """Show how far a run is until it ends; Ctrl-C stops it and keeps what is done.

    Raises
    ------
    JobError
        If the run fails or is stopped.
    """
    said, noted = "", set[str]()
    try:
        while True:
            run = queue.get(run_id)
            for note in run.note.splitlines():
                if note not in noted:
                    print(f"{run.task}: {note}", file=sys.stderr, flush=True)
                noted.add(note)
            if run.state == "done":
                return
            if run.state not in OPEN:
                raise JobError(f"Run {run.id} {run.state}: {run.message}", hint=run.hint)
            if (text := how_far(run)) != said:
                print(f"{run.task}: {text}", file=sys.stderr, flush=True)
            said = text
            time.sleep(1)
    except KeyboardInterrupt:
        queue.stop(run_id)
        raise JobError(
            f"Run {run_id} was stopped.", hint=f"Go on with `python -m scviz runs resume {run_id}`."
        ) from None


def how_far(run: Run) -> str:
    """Say in which stage a run is, how far, and how long it still takes, as far as that is known.

    Examples
    --------
    >>> how_far(Run(id="a", task="annotation"))
    'queued'
    >>> how_far(Run(id="a", task="annotation", state="running", stage="Training", done=2, total=8, rate=0.5))
    'Training 2/8, 12 s left'
    """
    left = time_left(run)
    count = f" {run.done:,}/{run.total:,}" if run.total else ""
    return f"{run.stage or run.state}{count}" + (f", {left:.0f} s left" if left else "")


def text_of(file: Path) -> str:
    """Read a text file that an option names.

    Raises
    ------
    RequestError
        If it is not there, or no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"The file {file} cannot be read.", hint="Give a text file.") from error


def write_csv(path: Path, dataset: str, settings: Settings, *, columns: Sequence[str], rows: Any) -> None:
    """Write one row per cell, with its name first."""
    from scviz.datasets.columns import cell_names

    names = cell_names(Workspace.from_settings(settings).dataset_folder(dataset))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["cell", *columns])
        given = rows if columns else itertools.repeat((), len(names))
        writer.writerows([name, *row] for name, row in zip(names, given, strict=True))


def write_copy(
    options: argparse.Namespace, run: str, settings: Settings, *, terms: tuple[LabelTerm, ...] = ()
) -> None:
    """Write a copy of the file of the dataset with the columns of a run, where that was asked for.

    Parameters
    ----------
    terms
        Terms of the names of cells, which become a column, too.
    """
    import shutil

    if options.output:
        export, result = carry_out("exporting", exporting.Request(run=run, terms=terms), settings)
        shutil.copyfile(
            Workspace.from_settings(settings).run_folder(export) / "result" / result.file_name, options.output
        )


def say(run: str, request: Any, result: Any, *, settings: Settings, **found: Any) -> None:
    """Print what a run found as JSON, with every note of the result and what limits its numbers."""
    known = provenance(Workspace.from_settings(settings), to_json(request))
    notes = [*found.pop("notes", ()), *getattr(result, "notes", ()), *known.sentences]
    answer = without_nan({"run": run, **found, "notes": list(dict.fromkeys(notes))})
    print(json.dumps(answer, indent=1, allow_nan=False))


def without_nan(value: Any) -> Any:
    """Write numbers that are not known as None, at any depth, since JSON has no NaN.

    Examples
    --------
    >>> without_nan({"scores": [0.5, float("nan")]})
    {'scores': [0.5, None]}
    """
    if isinstance(value, Mapping):
        return {name: without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
