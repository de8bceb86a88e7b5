"""What the command `perturb` takes, prints and writes."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.running import carry_out, dataset_of, say
from scviz.metrics.perturbation_table import METRICS
from scviz.settings import Settings
from scviz.tasks.perturbation import CEILING, SPLITS, Request, Result
from scviz.tasks.perturbation.methods import BASELINES, METHODS, method_of

NUMBERS = ("split_seed", "most_genes", "epochs", "seed")


def add_command(commands: Any) -> None:
    """Offer the prediction of screens."""
    perturb = commands.add_parser(
        "perturb", help="predict held-out perturbations of a screen, beside baselines and ceiling"
    )
    perturb.add_argument("dataset", help='id of an open dataset, a file, or "simulated"')
    perturb.add_argument("--column", default="condition", help="column that says what was perturbed")
    perturb.add_argument(
        "--control", default="", help="value of control cells, where its name does not say so"
    )
    asked = ", ".join(
        f"{name}:WEIGHTS" if card.weights != "none" else name
        for name, card in METHODS.items()
        if name not in BASELINES
    )
    perturb.add_argument(
        "--methods", nargs="*", default=[], metavar="METHOD", help=f"beside baselines: {asked}"
    )
    perturb.add_argument("--split", choices=list(SPLITS), default="simulation")
    perturb.add_argument("--terms", default="", help="id of terms of genes")
    perturb.add_argument(
        "--independent-controls", action="store_true", help="different control cells for prediction and truth"
    )
    perturb.add_argument("--also", nargs="*", default=[], metavar="GENE[+GENE]", help="predict these besides")
    fields = {field.name: field.default for field in dataclasses.fields(Request)}
    for name in NUMBERS:
        words = f"default {fields[name]}"
        perturb.add_argument(f"--{name.replace('_', '-')}", type=int, default=fields[name], help=words)
    perturb.add_argument("--csv", type=Path, help="write one row per perturbation and method here")
    perturb.add_argument(
        "--predictions", type=Path, help="write predicted mean expression here, a row per gene"
    )
    perturb.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str) -> Request:
    """Turn options into a request."""
    return Request(
        dataset=dataset,
        column=options.column,
        control=options.control,
        methods=tuple(method_of(key) for key in options.methods),
        split=options.split,
        terms=options.terms,
        independent_controls=options.independent_controls,
        predict_also=tuple(tuple(sorted(text.split("+"))) for text in options.also),
        **{name: getattr(options, name) for name in NUMBERS},
    )


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "perturbations": len(result.tested),
        "scores": {
            one.title: {
                name: round(one.summaries[name]["all"].mean, 4)
                for name in METRICS
                if one.summaries[name]["all"].n
            }
            for one in result.outcomes.values()
        },
        "warnings": [*result.warnings, *result.notes],
    }


def write_scores(result: Result, path: Path) -> None:
    """Write one row per perturbation and method, the ceiling among them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["perturbation", "group", "cells", "method", *METRICS])
        for key, outcome in result.outcomes.items():
            for one, values in zip(result.tested, result.scores[key].T, strict=True):
                writer.writerow([one.name, one.subgroup, one.n_cells, outcome.title, *values.tolist()])


def write_predictions(result: Result, path: Path) -> None:
    """Write one row per gene: control, what was measured, what each method predicts."""
    names = [*(one.name for one in result.tested), *("+".join(one) for one in result.asked)]
    keys = [key for key in result.outcomes if key != CEILING]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        measured = [f"measured {one.name}" for one in result.tested]
        predicted = [f"{result.outcomes[key].title} {name}" for key in keys for name in names]
        writer.writerow(["gene", "control", *measured, *predicted])
        for i, gene in enumerate(result.genes):
            means = [value for key in keys for value in result.predicted[key][:, i].tolist()]
            writer.writerow([gene, float(result.control[i]), *result.observed[:, i].tolist(), *means])


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Predict a screen and print what each method scores."""
    request = request_of(options, dataset_of(options.dataset, settings))
    run_id, result = carry_out("perturbation", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_scores(result, options.csv)
    if options.predictions:
        write_predictions(result, options.predictions)
