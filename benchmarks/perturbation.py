"""Every method on simulated screens and a real one: `python -m benchmarks.perturbation [PAPALEXI.h5ad TERMS.gmt]`.

No published or demo weights know the genes of a simulated screen, and few those of the real one, so small models are
first pre-trained on the cells of each, without their perturbations. Then the task behind the Perturb page is run, for
each split, with all methods. One row per dataset, split, group of perturbations and method.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scviz.datasets.gene_terms import keep_terms, read_terms
from scviz.datasets.readers import open_file
from scviz.memory import peak_gb
from scviz.metrics.perturbation_table import METRICS
from scviz.progress import silent
from scviz.tasks import opening, perturbation, pretraining
from scviz.tasks.context import Context
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.perturbation import Result
from scviz.tasks.perturbation.methods import Method
from scviz.tasks.perturbation.run import run as predict
from scviz.tasks.perturbation.tables import ceiling_of
from scviz.tasks.pretraining.run import run as pretrain
from scviz.workspace import Workspace

SHOWN = ("pearson_delta", "pearson_delta_de", "mse", "mse_de", "direction_de", "overlap_de", "discrimination")
SEEN_EFFECTS = ("IFNGR1", "IFNGR2", "JAK2", "STAT1", "SMAD4", "IRF1")
"""Knock-outs of the real screen whose effects both replicates show."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done with a dataset."""

    splits: Sequence[tuple[str, int]]
    """Kind and seed."""
    models: Sequence[str] = ()
    """Foundation models that are pre-trained on the cells."""
    epochs: int = 0
    """Of every network; 0 takes what the authors take."""


PLANS = {
    "tiny": Plan(
        splits=(("simulation", 1), ("simulation", 2)),
        models=("scgpt", "scfoundation", "geneformer"),
    ),
    "clean": Plan(splits=(("simulation", 1), ("combo_seen2", 1)), models=("scgpt",), epochs=5),
    "demo": Plan(splits=(("simulation", 1),), epochs=6),
    "papalexi": Plan(
        splits=(("simulation_single", 1), ("simulation_single", 2)), models=("scgpt",), epochs=4
    ),
}


def methods(workspace: Workspace, dataset: str, models: Sequence[str]) -> tuple[Method, ...]:
    """Pre-train the models and name every method that can be run."""
    found = [Method(name="gears"), Method(name="linear_terms")]
    for model in models:
        request = pretraining.Request(
            dataset=dataset, model=model, configuration="tiny", name=f"{model} on the cells", epochs=2
        )
        trained = pretrain(request, context(workspace, f"pretraining-{dataset}-{model}")).checkpoint
        found += [
            Method(name=name, checkpoint=trained)
            for name in ("linear_genes", "linear_perturbations", "ridge", "neighbors")
        ]
        own = {"scgpt": "scgpt", "scfoundation": "scfoundation_gears"}.get(model)
        found += [Method(name=own, checkpoint=trained)] if own else []
    return tuple(found)


def context(workspace: Workspace, name: str) -> Context:
    """Surroundings of a run that reports nothing."""
    return Context(workspace=workspace, report=silent, folder=workspace.run_folder(name))


def results(
    workspace: Workspace, name: str, dataset: str, terms: str, plan: Plan
) -> Iterator[tuple[str, Result]]:
    """Run every split of a dataset."""
    every = methods(workspace, dataset, plan.models)
    for split, seed in plan.splits:
        request = perturbation.Request(
            dataset=dataset,
            column="condition",
            methods=every,
            split=split,  # type: ignore[arg-type]  # one of them
            split_seed=seed,
            most_genes=1000,
            epochs=plan.epochs,
            terms=terms,
        )
        yield f"{name}, {split}, seed {seed}", predict(request, context(workspace, f"{name}-{split}-{seed}"))


def show(title: str, result: Result) -> None:
    """Print a table: a row per method and group of perturbations."""
    print(f"\n### {title}: {len(result.tested)} perturbations, {result.seconds:.0f} s\n")
    print("| perturbations | method |", " | ".join(SHOWN), "|")
    print("| --- " * (len(SHOWN) + 2) + "|")
    groups = ["all", *dict.fromkeys(one.subgroup for one in result.tested)]
    for group in groups:
        for outcome in result.outcomes.values():
            found = [outcome.summaries[name][group] for name in SHOWN]
            if not found[0].n:
                continue
            digits = [
                f"{one.mean:.{4 if name.startswith('mse') else 2}f}"
                for name, one in zip(SHOWN, found, strict=True)
            ]
            print(f"| {group}, {found[0].n} | {outcome.title} |", " | ".join(digits), "|")
    top = ceiling_of(result, range(len(result.tested)))
    if top is not None:
        print(f"\nThe true change itself would score about {top:.2f}.")
    print(result.inflation.sentence)
    print(result.verdict)
    for warning in result.warnings:
        print("-", warning)


def replicated(result: Result) -> None:
    """Print the knock-outs with an effect in both replicates, where they were held out."""
    at = list(METRICS).index("pearson_delta")
    for row, one in enumerate(result.tested):
        if one.name in SEEN_EFFECTS:
            scores = ", ".join(
                f"{result.outcomes[key].title} {values[at, row]:.2f}" for key, values in result.scores.items()
            )
            print(f"- {one.name}: {scores}")


def main() -> None:
    """Open, pre-train, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="PAPALEXI.h5ad TERMS.gmt")
    parser.add_argument("--only", choices=list(PLANS), help="one dataset")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        for name, plan in PLANS.items():
            if options.only not in (None, name) or (name == "papalexi" and len(options.files) < 2):
                continue
            if name == "papalexi":
                dataset = open_file(options.files[0], workspace, name="papalexi").id
                terms = keep_terms(
                    read_terms(options.files[1]),
                    workspace,
                    name="papalexi terms",
                    source=options.files[1].name,
                ).id
            else:
                request = opening.Request(path="", name="", simulated=name)
                dataset = open_dataset(request, context(workspace, f"opening-{name}")).dataset
                terms = next(info.id for info in workspace.terms() if name in info.name)
            for title, result in results(workspace, name, dataset, terms, plan):
                show(title, result)
                if name == "papalexi":
                    replicated(result)
    print(f"\nAll of it: {(time.monotonic() - start) / 60:.0f} min, {peak_gb():.1f} GB at most.")


if __name__ == "__main__":
    main()
