"""Cell types on real data: `python -m benchmarks.annotation FILE [FILE ...]`.

For each file: macro-F1 and accuracy of every method over three seeds, which hold other cells out, with the range of the
seeds and the 95 % interval over the cells of the first one; time and memory of each, in a process of its own. Logistic
regression on the cell vectors of each frozen model stands beside the same on the same network with random weights, and
beside the baselines, all on the same cells. `--modes head full` trains in the task's own ways, too. `--cells` takes so
many cells of a file, drawn by lot, `--only scbert` the models whose id has this. `--folds` gives the baselines alone in
five-fold cross-validation, which is what published numbers are compared with.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.transfer import main as tables
from benchmarks.transfer import opened
from scviz.datasets.readers import read_counts
from scviz.datasets.split import Split
from scviz.memory import peak_gb
from scviz.metrics.classification import macro_f1
from scviz.metrics.evidence import Interval, bootstrap
from scviz.models import model_class
from scviz.progress import silent
from scviz.tasks.annotation import MODEL, MODES, RANDOM_WEIGHTS, Mode, Request
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.annotation.inputs import Inputs, gather
from scviz.tasks.annotation.plan import Plan
from scviz.tasks.annotation.run import run
from scviz.tasks.context import Context
from scviz.workspace import Workspace

N_FOLDS = 5
FAMILIES = ("geneformer", "scgpt", "scfoundation", "scbert")
MODELS = tuple(f"{family}/{family}-blood" for family in FAMILIES)
BASELINES = "baselines"
VECTORS, RANDOM = "vectors", "random"
"""Logistic regression on the cell vectors of a model, and on those of the same network with random weights."""


@dataclass(frozen=True)
class Asked:
    """One process: a file, and what names its cells."""

    home: Path
    dataset: str
    label_key: str
    seeds: int
    epochs: int
    checkpoint: str = ""
    """Empty for the baselines."""
    mode: str = VECTORS


@dataclass(frozen=True)
class Row:
    """One method over its seeds."""

    name: str
    macro_f1: list[float]
    accuracy: list[float]
    of_cells: Interval
    """Accuracy over the cells of the first seed."""
    seconds: float
    gigabytes: float


def by_vectors(asked: Asked) -> list[Row]:
    """Name the held-out cells by logistic regression on the vectors that a frozen network reads."""
    begun, workspace = time.monotonic(), Workspace(asked.home)
    adata = read_counts(workspace.dataset_folder(asked.dataset))
    family = model_class(asked.checkpoint.split("/")[0])
    model = family.for_task(workspace.checkpoint_folder(asked.checkpoint), "embedding")
    if asked.mode == RANDOM:
        model = model.newly_initialized(0)
    vectors = np.nan_to_num(model.embed(adata))  # 0 where it sees no gene

    def named(inputs: Inputs, _: int) -> dict[str, NDArray[np.int64]]:
        known = np.concatenate([inputs.split.train, inputs.split.validation])
        rule = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        rule.fit(vectors[known], inputs.codes[known])
        what = "random weights" if asked.mode == RANDOM else "frozen"
        name = f"logistic regression on {workspace.checkpoint(asked.checkpoint).name}, {what}"
        return {name: rule.predict(vectors[inputs.split.test])}

    return _rows(asked, adata, named, begun=begun)


def by_baselines(asked: Asked) -> list[Row]:
    """Name the same held-out cells without a model; time and memory are those of all baselines together."""
    begun, workspace = time.monotonic(), Workspace(asked.home)
    adata = read_counts(workspace.dataset_folder(asked.dataset))
    return _rows(
        asked, adata, lambda one, seed: baselines(adata, one.codes, one.split, seed=seed), begun=begun
    )


def _rows(
    asked: Asked,
    adata: AnnData,
    way: Callable[[Inputs, int], dict[str, NDArray[np.int64]]],
    *,
    begun: float,
) -> list[Row]:
    """Score ways of naming over the seeds, each of which holds other cells out."""
    request = Request(dataset=asked.dataset, checkpoint="none/none", label_key=asked.label_key)
    truths, named = [], []
    for seed in range(asked.seeds):
        inputs = gather(request, adata, np.ones(adata.n_obs, dtype=np.int64), plan=Plan(seed=seed))
        truths.append(inputs.codes[inputs.split.test])
        named.append(way(inputs, seed))
    seconds, n_types = time.monotonic() - begun, len(inputs.types)
    return [
        Row(
            name=name,
            macro_f1=[macro_f1(truth, one[name], n_types) for truth, one in zip(truths, named, strict=True)],
            accuracy=[float((truth == one[name]).mean()) for truth, one in zip(truths, named, strict=True)],
            of_cells=bootstrap((named[0][name] == truths[0]).astype(float)),
            seconds=seconds,
            gigabytes=peak_gb(),
        )
        for name in named[0]
    ]


def by_training(asked: Asked) -> list[Row]:
    """Train on a model by the task itself; a frozen one beside its twin with random weights: time is that of both."""
    begun, workspace = time.monotonic(), Workspace(asked.home)
    mode = cast(Mode, asked.mode)
    name = workspace.checkpoint(asked.checkpoint).name
    request = Request(
        dataset=asked.dataset,
        checkpoint=asked.checkpoint,
        label_key=asked.label_key,
        mode=mode,
        epochs=asked.epochs,
        seeds=asked.seeds,
        few_genes=True,
    )
    folder = workspace.run_folder(f"{asked.dataset}-{asked.checkpoint.replace('/', '-')}-{mode}")
    result = run(request, Context(workspace=workspace, report=silent, folder=folder))
    words = {MODEL: f"{name}, {MODES[mode].lower()}", RANDOM_WEIGHTS: f"{name}, {mode}, random weights"}
    return [
        Row(
            name=words[method],
            macro_f1=[one.macro_f1[method] for one in result.repeats],
            accuracy=[one.accuracy[method] for one in result.repeats],
            of_cells=bootstrap((result.predicted[method] == result.truth).astype(float)),
            seconds=time.monotonic() - begun,
            gigabytes=peak_gb(),
        )
        for method in words
        if method in result.predicted
    ]


def rows_of(asked: Asked) -> list[Row]:
    """Carry one process out."""
    if not asked.checkpoint:
        return by_baselines(asked)
    return by_vectors(asked) if asked.mode in (VECTORS, RANDOM) else by_training(asked)


def processes(common: Asked, options: argparse.Namespace) -> Iterator[Asked]:
    """Give what is asked of a file: the baselines, and each model in each mode."""
    if options.only in BASELINES:
        yield common
    for checkpoint in options.models:
        if options.only in checkpoint:
            for mode in options.modes:
                yield replace(common, checkpoint=checkpoint, mode=mode)


def said(row: Row) -> str:
    """Write a row."""
    f1, right = row.macro_f1, row.accuracy
    return (
        f"  macro-F1 {np.mean(f1):.3f} ({min(f1):.3f} to {max(f1):.3f})  right {np.mean(right):.3f} ({min(right):.3f} "
        f"to {max(right):.3f}; cells {row.of_cells.low:.3f} to {row.of_cells.high:.3f})  {row.seconds:6.1f} s "
        f"{row.gigabytes:.2f} GB  {row.name}"
    )


def cross_validate(workspace: Workspace, dataset: str, label_key: str) -> dict[str, float]:
    """Mean macro-F1 of each baseline over five folds."""
    adata = read_counts(workspace.dataset_folder(dataset))
    types, codes = np.unique(adata.obs[label_key].astype(str), return_inverse=True)
    scores: dict[str, list[float]] = {}
    for known, held_out in StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(codes, codes):
        split = Split(train=known, validation=np.empty(0, dtype=np.int64), test=held_out)
        for name, named in baselines(adata, codes, split, seed=0).items():
            scores.setdefault(name, []).append(macro_f1(codes[held_out], named, len(types)))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def main() -> None:
    """Print one table per file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--transfer", type=Path, help="folder of real data: names from a reference, too")
    parser.add_argument("--label-key", default="cell_type")
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--modes", nargs="*", default=[VECTORS, RANDOM])
    parser.add_argument("--only", default="", help=f"models whose id has this, or {BASELINES}")
    parser.add_argument("--cells", type=int, default=0, help="so many cells of a file at most; 0 for all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--folds", action="store_true", help="the baselines in five folds of all cells, too")
    options = parser.parse_args()
    if options.transfer:
        tables([str(options.transfer)])
    with TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        for file in options.files:
            info = workspace.dataset(opened(file, workspace, file.stem, options.cells))
            print(f"\n{info.name}: {info.n_cells:,} cells x {info.n_genes:,} genes", flush=True)
            if options.folds:
                for name, score in cross_validate(workspace, info.id, options.label_key).items():
                    print(f"  five folds {score:.3f}  {name}", flush=True)
            common = Asked(workspace.home, info.id, options.label_key, options.seeds, options.epochs)
            for asked in processes(common, options):
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    for row in pool.submit(rows_of, asked).result():
                        print(said(row), flush=True)


if __name__ == "__main__":
    main()
