"""What each command does: hand a request in, wait, print and write what came out."""

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

from scviz.cli import annotate as annotate_words
from scviz.cli import attention as attention_words
from scviz.cli import enhance as enhance_words
from scviz.cli import enrich as enrich_words
from scviz.cli import in_silico as in_silico_words
from scviz.cli import modules as modules_words
from scviz.cli import perturb as perturb_words
from scviz.cli import regulons as regulons_words
from scviz.datasets.known_links import COLLECTIONS
from scviz.errors import JobError, RequestError
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.tasks import (
    annotation,
    compare,
    downloading,
    embedding,
    enhancement,
    exporting,
    gene_terms,
    importing,
    known_links,
    opening,
    pretraining,
    public_screen,
)
from scviz.tasks.scenic import files as scenic_files
from scviz.workspace import Workspace
from scviz.workspace.database import time_left


def serve(options: argparse.Namespace, settings: Settings) -> None:
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


def open_file(options: argparse.Namespace, settings: Settings) -> None:
    """Open a dataset and print its id."""
    print(_dataset(options.file, settings, name=options.name, counts=options.counts))


def embed(options: argparse.Namespace, settings: Settings) -> None:
    """Embed cells and print how many."""
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


def compare_models(options: argparse.Namespace, settings: Settings) -> None:
    """Compare models and print their scores."""
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


def annotate(options: argparse.Namespace, settings: Settings) -> None:
    """Name cell types and print the scores."""
    dataset, checkpoint = _subject(options, settings)
    given = _given(options, annotation.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    run, result = _carry_out("annotation", annotation.Request(**given), settings)
    scores = {
        name: {"macro_f1": round(s.macro_f1, 4), "accuracy": round(s.accuracy, 4)}
        for name, s in result.scores.items()
    }
    answer = {"run": run, "scores": scores, "verdict": result.gain.sentence, "notes": result.notes}
    print(json.dumps(answer, indent=1))
    if options.csv:
        columns, rows = annotate_words.cells(result)
        _write_csv(options.csv, dataset, settings, columns, rows)
    _write_copy(options, run, settings)


def in_silico(options: argparse.Namespace, settings: Settings) -> None:
    """Edit genes and print what moved."""
    dataset, checkpoint = _subject(options, settings)
    request = in_silico_words.request_of(options, dataset, checkpoint)
    run, result = _carry_out("in_silico", request, settings)
    print(json.dumps({"run": run, **in_silico_words.summary(result)}, indent=1))
    if options.csv:
        in_silico_words.write_effects(result, options.csv)
    _write_copy(options, run, settings)


def perturb(options: argparse.Namespace, settings: Settings) -> None:
    """Predict a screen and print what each method scores."""
    request = perturb_words.request_of(options, _dataset(options.dataset, settings))
    run, result = _carry_out("perturbation", request, settings)
    print(json.dumps({"run": run, **perturb_words.summary(result)}, indent=1))
    if options.csv:
        perturb_words.write_scores(result, options.csv)
    if options.predictions:
        perturb_words.write_predictions(result, options.predictions)


def attention(options: argparse.Namespace, settings: Settings) -> None:
    """Rank the targets of regulators by attention and print how they agree with known ones."""
    dataset, checkpoint = _subject(options, settings)
    request = attention_words.request_of(options, dataset, checkpoint)
    run, result = _carry_out("attention_network", request, settings)
    print(json.dumps({"run": run, **attention_words.summary(result, request)}, indent=1))
    if options.csv:
        attention_words.write_influence(result, options.csv)


def find_regulons(options: argparse.Namespace, settings: Settings) -> None:
    """Find regulons and print how they stand beside chance."""
    request = regulons_words.request_of(options, _dataset(options.dataset, settings))
    run, result = _carry_out("scenic", request, settings)
    print(json.dumps({"run": run, **regulons_words.summary(result)}, indent=1))
    if options.csv:
        names = [one.name for one in result.regulons]
        _write_csv(options.csv, request.dataset, settings, names, result.auc.tolist())
    if options.gmt:
        options.gmt.write_text(scenic_files.gmt(result.regulons), encoding="utf-8")
    if options.links:
        regulons_words.write_links(result, options.links)


def find_modules(options: argparse.Namespace, settings: Settings) -> None:
    """Find gene modules and print how they stand beside plain co-expression and chance."""
    if options.source == "expression":
        dataset, checkpoint = _dataset(options.dataset, settings), ""
    else:
        dataset, checkpoint = _subject(options, settings)
    request = modules_words.request_of(options, dataset, checkpoint)
    run, result = _carry_out("modules", request, settings)
    print(json.dumps({"run": run, **modules_words.summary(result)}, indent=1))
    modules_words.write_files(result, options)
    if options.scores:
        names = [one.name for one in result.modules]
        _write_csv(options.scores, dataset, settings, names, result.scores.tolist())


def enrich(options: argparse.Namespace, settings: Settings) -> None:
    """Test gene sets and print which hold more of the genes than chance gives."""
    dataset = _dataset(options.dataset, settings)
    sets = enrich_words.sets_of(options, Workspace.from_settings(settings))
    if isinstance(sets, gene_terms.Request):
        sets = str(_carry_out("gene_terms", sets, settings)[1].terms)
    run, result = _carry_out("enrichment", enrich_words.request_of(options, dataset, sets), settings)
    print(json.dumps({"run": run, **enrich_words.summary(result)}, indent=1))
    if options.csv:
        enrich_words.write_terms(result, options.csv)


def enhance(options: argparse.Namespace, settings: Settings) -> None:
    """Denoise cells and print the check."""
    dataset, checkpoint = _subject(options, settings)
    given = _given(options, enhancement.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    run, result = _carry_out("enhancement", enhancement.Request(**given), settings)
    scores = {name: dataclasses.asdict(score) for name, score in result.scores.items()}
    answer = {"run": run, "scores": scores, "verdict": result.gain.sentence, "notes": result.notes}
    print(json.dumps(answer, indent=1))
    if options.csv:
        enhance_words.write_check(result, options.csv)
    _write_copy(options, run, settings)


def pretrain(options: argparse.Namespace, settings: Settings) -> None:
    """Train a model without labels and print its id."""
    import shutil

    dataset = _dataset(options.dataset, settings)
    given = _given(options, pretraining.Request) | {"dataset": dataset}
    _, result = _carry_out("pretraining", pretraining.Request(**given), settings)
    if options.output:
        folder = Workspace.from_settings(settings).checkpoint_folder(result.checkpoint)
        shutil.rmtree(options.output, ignore_errors=True)
        shutil.move(folder, options.output)
    print(result.checkpoint)


def import_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Take a folder of weights in."""
    folder = options.folder.resolve()
    request = importing.Request(model=options.model, folder=str(folder), name=options.name or folder.name)
    _take_in("importing", request, settings)


def download(options: argparse.Namespace, settings: Settings) -> None:
    """Fetch published weights."""
    given = _given(options, downloading.Request)
    if options.beside:
        given["beside"] = str(Path(options.beside).expanduser().resolve())
    _take_in("downloading", downloading.Request(**given), settings)


def _take_in(task: str, request: Any, settings: Settings) -> None:
    """Add weights and say what was found in their folder."""
    _, result = _carry_out(task, request, settings)
    print(json.dumps(dataclasses.asdict(result) | {"loaded": len(result.loaded)}, indent=1))


def add_terms(options: argparse.Namespace, settings: Settings) -> None:
    """Take gene terms in and print what was found."""
    path = str(Path(options.file).expanduser().resolve()) if options.file else ""
    request = gene_terms.Request(
        path=path, name=options.name, download=options.download, library=options.library
    )
    _, result = _carry_out("gene_terms", request, settings)
    print(json.dumps(dataclasses.asdict(result)))


def download_links(options: argparse.Namespace, settings: Settings) -> None:
    """Download known links and print where they are."""
    known = options.what if options.what in COLLECTIONS else ""
    request = known_links.Request(
        collection=known, regulator="" if known else options.what, distance=options.distance
    )
    _, result = _carry_out("known_links", request, settings)
    print(json.dumps(dataclasses.asdict(result)))


def runs(options: argparse.Namespace, settings: Settings) -> None:
    """List runs, or show, stop, resume or delete one."""
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


def _given(options: argparse.Namespace, request: type) -> dict[str, Any]:
    """Take the options that are fields of a request."""
    names = {field.name for field in dataclasses.fields(request)}
    return {name: value for name, value in vars(options).items() if name in names}


def _subject(options: argparse.Namespace, settings: Settings) -> tuple[str, str]:
    """Find the dataset and the weights."""
    checkpoints = Workspace.from_settings(settings).checkpoints()
    if not options.checkpoint and not checkpoints:
        raise RequestError("There are no weights here.", hint="Take some in with `python -m scviz import`.")
    return _dataset(options.dataset, settings), options.checkpoint or checkpoints[0].id


def _dataset(text: str, settings: Settings, *, name: str = "", counts: str | None = None) -> str:
    """Return the id of an open dataset; open it if a file, the demo or a simulated screen is named."""
    workspace = Workspace.from_settings(settings)
    if text in {info.id for info in workspace.datasets()}:
        return text
    if text.startswith("public:"):
        published = public_screen.Request(screen=text.removeprefix("public:"))
        return str(_carry_out("public_screen", published, settings)[1].dataset)
    request = opening.request_of(text)
    if request is None:
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
