"""The same requests without a browser: `python -m scviz COMMAND`; the README names the commands."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scviz.errors import JobError, RequestError, ScvizError
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.tasks import (
    annotation,
    compare,
    downloading,
    embedding,
    enhancement,
    exporting,
    importing,
    opening,
    pretraining,
)
from scviz.workspace import Workspace
from scviz.workspace.database import time_left


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns 0, or 1 with a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options, Settings.from_env())
    except ScvizError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scviz", description="Single-cell foundation models, with baselines."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start the dashboard")
    serve.add_argument("--port", type=int, default=8501)
    serve.set_defaults(command=_serve)

    open_ = commands.add_parser("open", help="open a dataset: an .h5ad file, or the demo")
    open_.add_argument("file", help='path of a file, or "demo"')
    open_.add_argument("--name", default="")
    open_.add_argument(
        "--counts", default=None, help="where raw counts are: X, raw/X, layers/NAME; found by default"
    )
    open_.set_defaults(command=_open)

    embed = commands.add_parser("embed", help="embed cells and draw the map, beside principal components")
    _add_subject(embed)
    embed.add_argument(
        "--read-depth",
        default="",
        help="read cells as if they had t4 = 10^4 reads, f5 = five times theirs, a1 = ten times; scFoundation only",
    )
    _add_fields(embed, embedding.Request, "n_neighbors", "min_dist", "batch_size", "seed")
    _add_output(embed)
    embed.set_defaults(command=_embed)

    annotate = commands.add_parser(
        "annotate", help="learn cell types and name the cells held out, beside baselines"
    )
    _add_subject(annotate)
    annotate.add_argument("--label-key", required=True, help="column with known cell types")
    annotate.add_argument("--group-key", default=None, help="hold out whole groups of this column")
    annotate.add_argument("--mode", choices=["head", "lora", "full", "published"], default="head")
    annotate.add_argument("--balanced", action="store_true", help="let every type count the same in training")
    annotate.add_argument("--pooling", choices=["mean", "published"], default="mean")
    _add_fields(
        annotate, annotation.Request, "test_fraction", "epochs", "batch_size", "learning_rate", "seed"
    )
    _add_output(annotate)
    annotate.set_defaults(command=_annotate)

    pretrain = commands.add_parser(
        "pretrain", help="train a model, new or from weights, on the cells of a dataset, without labels"
    )
    pretrain.add_argument("dataset", help='id of an open dataset, a file, or "demo"')
    pretrain.add_argument(
        "--checkpoint", default=None, help="id of weights to start from; default: random ones of --model"
    )
    names = ("model", "configuration", "name", "epochs", "batch_size", "learning_rate", "seed")
    _add_fields(pretrain, pretraining.Request, *names)
    pretrain.add_argument(
        "--demo", action="store_true", help="mark the checkpoint as one that only shows how things work"
    )
    pretrain.add_argument("--output", type=Path, help="folder to move the checkpoint to")
    pretrain.set_defaults(command=_pretrain)

    for add in (_add_compare, _add_enhance, _add_weights):
        add(commands)

    runs = commands.add_parser("runs", help="list runs, or show, stop, resume, delete one")
    runs.add_argument(
        "action", nargs="?", choices=["list", "show", "stop", "resume", "delete"], default="list"
    )
    runs.add_argument("run", nargs="?", help="id of a run")
    runs.set_defaults(command=_runs)
    return parser


def _add_compare(commands: Any) -> None:
    """Offer the comparison of several models."""
    compare_ = commands.add_parser("compare", help="embed with several models, beside principal components")
    compare_.add_argument("dataset", help='id of an open dataset, a file, or "demo"')
    compare_.add_argument(
        "--checkpoints", nargs="+", default=[], help="ids of weights; default: the newest four"
    )
    compare_.add_argument("--label-key", default=None, help="column with known cell types")
    compare_.add_argument("--batch-key", default=None, help="column of batches, which should mix")
    _add_fields(compare_, compare.Request, "n_neighbors", "min_dist", "seed")
    compare_.add_argument("--csv", type=Path, help="write how much methods disagree on each cell here")
    compare_.set_defaults(command=_compare)


def _add_enhance(commands: Any) -> None:
    """Offer the restoring of expression."""
    enhance = commands.add_parser("enhance", help="restore cells as if they had more reads, with a check")
    _add_subject(enhance)
    enhance.add_argument("--label-key", default=None, help="column with known cell types")
    _add_fields(enhance, enhancement.Request, "read_depth", "check_cells", "seed")
    enhance.add_argument("--output", type=Path, help="write a copy of the file with the new layer here")
    enhance.set_defaults(command=_enhance)


def _add_weights(commands: Any) -> None:
    """Offer the two ways in which weights come into the workspace."""
    import_ = commands.add_parser("import", help="take a folder of weights into the workspace")
    import_.add_argument("model")
    import_.add_argument("folder", type=Path)
    import_.add_argument("--name", default="")
    import_.set_defaults(command=_import)

    download = commands.add_parser("download", help="fetch published weights and take them in")
    download.add_argument("model")
    download.add_argument("released", metavar="NAME", help="as the Models page lists it")
    download.add_argument(
        "--accept-licence",
        dest="accepted_licence",
        action="store_true",
        help="say that you have read the licence of the weights and keep to it",
    )
    download.add_argument("--beside", default="", help="folder with files that the repository lacks")
    download.set_defaults(command=_download)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", help='id of an open dataset, a file, or "demo"')
    parser.add_argument("--checkpoint", default="", help="id of the weights; default: the newest")


def _add_fields(parser: argparse.ArgumentParser, request: type, *names: str) -> None:
    """Offer fields of a request as options, with the request's own defaults."""
    fields = {field.name: field for field in dataclasses.fields(request)}
    for name in names:
        default = fields[name].default
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"default {default}"
        )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    parser.add_argument("--csv", type=Path, help="write one row per cell here")


def _given(options: argparse.Namespace, request: type) -> dict[str, Any]:
    """Take the options that are fields of a request."""
    names = {field.name for field in dataclasses.fields(request)}
    return {name: value for name, value in vars(options).items() if name in names}


# commands


def _serve(options: argparse.Namespace, settings: Settings) -> None:
    """Open the demo data if nothing is open yet, then become the web server."""
    from scviz.datasets.demo import open_demo
    from scviz.progress import silent

    workspace = Workspace.from_settings(settings)
    if not workspace.datasets():
        print("Opening the demo data: 700 blood cells …", flush=True)
        open_demo(workspace, silent)
    print(f"scviz is at http://localhost:{options.port}", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.port", str(options.port)]
    os.chdir(ROOT)  # Streamlit reads its configuration from here
    os.execv(sys.executable, command)


def _open(options: argparse.Namespace, settings: Settings) -> None:
    print(_dataset(options.file, settings, name=options.name, counts=options.counts))


def _embed(options: argparse.Namespace, settings: Settings) -> None:
    dataset, checkpoint = _subject(options, settings)
    given = _given(options, embedding.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    run, result = _carry_out("embedding", embedding.Request(**given), settings)
    print(json.dumps({"run": run, "cells": len(result.umap), "dimensions": result.embedding.shape[1]}))
    if options.csv:
        columns = ["umap_1", "umap_2", "baseline_umap_1", "baseline_umap_2"]
        _write_csv(
            options.csv, dataset, settings, columns, zip(*result.umap.T, *result.baseline_umap.T, strict=True)
        )
    _write_copy(options, run, settings)


def _compare(options: argparse.Namespace, settings: Settings) -> None:
    newest = [info.id for info in Workspace.from_settings(settings).checkpoints()]
    checkpoints = tuple(options.checkpoints or newest[: compare.MOST_CHECKPOINTS])
    dataset = _dataset(options.dataset, settings)
    given = _given(options, compare.Request) | {"dataset": dataset, "checkpoints": checkpoints}
    run, result = _carry_out("compare", compare.Request(**given), settings)
    scores = {
        method: {name: round(value, 4) for name, value in dataclasses.asdict(row).items() if value == value}
        for method, row in result.scores.items()
    }
    print(json.dumps({"run": run, "scores": scores, "overlap": result.overlap.round(4).tolist()}, indent=1))
    if options.csv:
        _write_csv(options.csv, dataset, settings, ["disagreement"], zip(result.disagreement, strict=True))


def _annotate(options: argparse.Namespace, settings: Settings) -> None:
    dataset, checkpoint = _subject(options, settings)
    given = _given(options, annotation.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    run, result = _carry_out("annotation", annotation.Request(**given), settings)
    scores = {
        name: {"macro_f1": round(s.macro_f1, 4), "accuracy": round(s.accuracy, 4)}
        for name, s in result.scores.items()
    }
    print(json.dumps({"run": run, "scores": scores, "verdict": result.comparison.verdict}, indent=1))
    if options.csv:
        names = [*result.types, ""]
        rows = zip((names[code] for code in result.all_predicted), result.all_confidence, strict=True)
        _write_csv(options.csv, dataset, settings, ["named", "confidence"], rows)
    _write_copy(options, run, settings)


def _enhance(options: argparse.Namespace, settings: Settings) -> None:
    dataset, checkpoint = _subject(options, settings)
    given = _given(options, enhancement.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    run, result = _carry_out("enhancement", enhancement.Request(**given), settings)
    scores = {name: dataclasses.asdict(score) for name, score in result.scores.items()}
    print(json.dumps({"run": run, "scores": scores, "verdict": result.gain.verdict}, indent=1))
    _write_copy(options, run, settings)


def _pretrain(options: argparse.Namespace, settings: Settings) -> None:
    import shutil

    dataset = _dataset(options.dataset, settings)
    given = _given(options, pretraining.Request) | {"dataset": dataset}
    _, result = _carry_out("pretraining", pretraining.Request(**given), settings)
    if options.output:
        folder = Workspace.from_settings(settings).checkpoint_folder(result.checkpoint)
        shutil.rmtree(options.output, ignore_errors=True)
        shutil.move(folder, options.output)
    print(result.checkpoint)


def _import(options: argparse.Namespace, settings: Settings) -> None:
    folder = options.folder.resolve()
    request = importing.Request(model=options.model, folder=str(folder), name=options.name or folder.name)
    _take_in("importing", request, settings)


def _download(options: argparse.Namespace, settings: Settings) -> None:
    given = _given(options, downloading.Request)
    if options.beside:
        given["beside"] = str(Path(options.beside).expanduser().resolve())
    _take_in("downloading", downloading.Request(**given), settings)


def _take_in(task: str, request: Any, settings: Settings) -> None:
    """Add weights and say what was found in their folder."""
    _, result = _carry_out(task, request, settings)
    print(json.dumps(dataclasses.asdict(result) | {"loaded": len(result.loaded)}, indent=1))


def _runs(options: argparse.Namespace, settings: Settings) -> None:
    queue = RunQueue(settings)
    if options.action == "list":
        for run in queue.runs():
            print(f"{run.id}  {run.task:<11} {run.state:<8} {run.done}/{run.total}  {run.stage}{run.message}")
        return
    if options.run is None:
        raise RequestError("Which run?", hint="Give the id of a run; `python -m scviz runs` lists them.")
    if options.action == "show":
        print(json.dumps(dataclasses.asdict(queue.get(options.run)), indent=1))
    elif options.action == "resume":
        queue.resume(options.run)
        _wait(queue, options.run)
    else:
        {"stop": queue.stop, "delete": queue.delete}[options.action](options.run)


# what commands share


def _subject(options: argparse.Namespace, settings: Settings) -> tuple[str, str]:
    """Find the dataset and the weights."""
    checkpoints = Workspace.from_settings(settings).checkpoints()
    if not options.checkpoint and not checkpoints:
        raise RequestError("There are no weights here.", hint="Take some in with `python -m scviz import`.")
    return _dataset(options.dataset, settings), options.checkpoint or checkpoints[0].id


def _dataset(text: str, settings: Settings, *, name: str = "", counts: str | None = None) -> str:
    """Return the id of an open dataset; open it if a file or the demo is named."""
    workspace = Workspace.from_settings(settings)
    if text in {info.id for info in workspace.datasets()}:
        return text
    if text == "demo":
        request = opening.demo_request()
    else:
        path = Path(text).expanduser().resolve()
        request = opening.Request(path=str(path), name=name or path.stem, counts_location=counts)
    _, result = _carry_out("opening", request, settings)
    return str(result.dataset)


def _carry_out(task: str, request: Any, settings: Settings) -> tuple[str, Any]:
    """Hand a request in, show its progress and return the run and its result."""
    queue = RunQueue(settings)
    submitted = queue.submit(task, request)
    if submitted.cached:
        print(f"{task}: answered by run {submitted.run}", file=sys.stderr)
    _wait(queue, submitted.run)
    return submitted.run, queue.result(submitted.run)


def _wait(queue: RunQueue, run_id: str) -> None:
    """Show how far a run is until it ends; Ctrl-C stops it and keeps what is done."""
    said = ""
    try:
        while True:
            run = queue.get(run_id)
            left = time_left(run)
            text = f"{run.task}: {run.stage or run.state} {run.done}/{run.total}" + (
                f", {left:.0f} s left" if left else ""
            )
            if text != said and run.state in ("queued", "running"):
                print(text, file=sys.stderr, flush=True)
                said = text
            if run.note:
                said += run.note
            if run.state == "done":
                return
            if run.state not in ("queued", "running"):
                raise JobError(f"Run {run.id} {run.state}: {run.message}", hint=run.hint)
            time.sleep(1)
    except KeyboardInterrupt:
        queue.stop(run_id)
        raise JobError(
            f"Run {run_id} was stopped.", hint=f"Go on with `python -m scviz runs resume {run_id}`."
        ) from None


def _write_csv(path: Path, dataset: str, settings: Settings, columns: Sequence[str], rows: Any) -> None:
    from scviz.datasets.columns import cell_names

    names = cell_names(Workspace.from_settings(settings).dataset_folder(dataset))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["cell", *columns])
        writer.writerows([name, *row] for name, row in zip(names, rows, strict=True))


def _write_copy(options: argparse.Namespace, run: str, settings: Settings) -> None:
    import shutil

    if options.output:
        export, result = _carry_out("exporting", exporting.Request(run=run), settings)
        shutil.copyfile(
            Workspace.from_settings(settings).run_folder(export) / "result" / result.file_name, options.output
        )
