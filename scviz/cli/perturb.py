"""What the command `perturb` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, say, text_of
from scviz.datasets.conditions import guess_screen_column
from scviz.datasets.own_split import OwnSplit, split_of_column, split_of_text
from scviz.errors import RequestError
from scviz.metrics.perturbation_table import METRICS
from scviz.settings import Settings
from scviz.tasks.fields import declared
from scviz.tasks.perturbation import HEADLINE, Outcome, Request, Result
from scviz.tasks.perturbation.methods import BASELINES, METHODS, NO_WEIGHTS, method_of
from scviz.tasks.perturbation.tables import ceiling_of, predictions_as_csv, scores_as_csv, unknowing_scores
from scviz.workspace import Workspace


def add_command(commands: Any) -> None:
    """Offer the prediction of screens."""
    perturb = commands.add_parser(
        "perturb", help="predict held-out perturbations of a screen, compared with baselines"
    )
    perturb.add_argument("dataset", help='id of an open dataset, a file, or "simulated"')
    perturb.add_argument(
        "--column", default="", metavar="NAME", help="column that says what was perturbed; found by default"
    )
    asked = ", ".join(
        f"{name}:CHECKPOINT" if card.weights != NO_WEIGHTS else name
        for name, card in METHODS.items()
        if name not in BASELINES
    )
    perturb.add_argument(
        "--methods",
        nargs="*",
        default=[],
        metavar="METHOD",
        help=f"beside the baselines, which always come and take seconds: {asked}; those that train a network take "
        "minutes on a small screen, hours on a large one without a GPU; default: the baselines alone",
    )
    add_fields(perturb, Request, without=("column", "terms"))
    perturb.add_argument(
        "--terms",
        metavar="NAME",
        help='gene annotations (GO) that GEARS connects genes by; default: the newest there are, "" for none',
    )
    own = perturb.add_mutually_exclusive_group()
    own.add_argument(
        "--split-file",
        type=Path,
        help="your own split: lines of a perturbation and train, validation or test",
    )
    own.add_argument(
        "--split-column", default="", metavar="NAME", help="your own split: column that says the same"
    )
    perturb.add_argument("--also", nargs="*", default=[], metavar="GENE[+GENE]", help="predict these, too")
    perturb.add_argument("--csv", type=Path, help="write one row per perturbation and method here")
    perturb.add_argument(
        "--predictions",
        type=Path,
        help="write measured and predicted mean expression here, a row per gene: all scores can be computed from it",
    )
    perturb.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, workspace: Workspace) -> Request:
    """Turn options into a request; column and gene annotations are those that the page begins with.

    Raises
    ------
    RequestError
        If no column was named and none looks like a screen, or the split of one's own cannot be read.
    """
    folder = workspace.dataset_folder(dataset)
    column = options.column or guess_screen_column(folder, workspace.dataset(dataset).columns)
    if not column:
        raise RequestError(
            "No column of this dataset looks like a screen.", hint="Name it: --column NAME_OF_THE_COLUMN."
        )
    own = _own_split(options, folder, column)
    given = {name: getattr(options, name) for name in declared(Request) if name != "column"}
    if options.terms is None:
        given["terms"] = next((info.id for info in workspace.terms()), "")
    if own is not None:
        given |= {"split": "own", "held_out": own.test, "stop_by": own.validation}
    return Request(
        dataset=dataset,
        column=column,
        methods=tuple(method_of(key) for key in options.methods),
        predict_also=tuple(tuple(sorted(text.split("+"))) for text in options.also),
        **given,
    )


def _own_split(options: argparse.Namespace, folder: Path, column: str) -> OwnSplit | None:
    if options.split_column:
        return split_of_column(folder, options.split_column, perturbations=column, control=options.control)
    return split_of_text(text_of(options.split_file), folder) if options.split_file else None


def summary(result: Result) -> dict[str, Any]:
    """Say what was found; methods that do not predict all perturbations come last, and compete with none."""
    ordered = sorted(result.outcomes.values(), key=lambda one: -one.summaries[HEADLINE]["all"].n)
    rows = range(len(result.tested))
    return {
        "verdict": result.verdict,
        "outcome": result.gain.outcome if result.gain else "unknown",
        "perturbations": len(result.tested),
        "scores": {one.title: _scores(one) for one in ordered},
        "scores without knowing the perturbation": _unknowing(result),
        "ceiling": {
            "correlation of changes": ceiling_of(result, rows),
            "without the perturbed genes": ceiling_of(result, rows, without=True),
        },
        **({"cell-eval": result.cell_eval} if result.cell_eval else {}),
        "gains": {one.title: one.gain.sentence for one in ordered if one.gain},
        "warnings": list(result.warnings),
        "notes": [*result.notes, *(note for one in ordered for note in one.notes)],
    }


def _unknowing(result: Result) -> dict[str, dict[str, float]]:
    """Give what predictions score that cannot know the perturbation, for scores where that is not plain."""
    found = {name: unknowing_scores(result, name) for name in METRICS}
    return {
        name: {title: round(mean, 4) for title, mean in one.items()} for name, one in found.items() if one
    }


def _scores(outcome: Outcome) -> dict[str, float]:
    """Give the mean of each score, and over how many perturbations."""
    found = {name: outcome.summaries[name]["all"] for name in METRICS}
    means = {name: round(one.mean, 4) for name, one in found.items() if one.n}
    return {"predicted perturbations": found[HEADLINE].n} | means


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Predict a screen and print what each method scores."""
    dataset = dataset_of(options.dataset, settings)
    request = request_of(options, dataset, Workspace.from_settings(settings))
    run_id, result = carry_out("perturbation", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        options.csv.write_text(scores_as_csv(result), encoding="utf-8")
    if options.predictions:
        options.predictions.write_text(predictions_as_csv(result), encoding="utf-8")
