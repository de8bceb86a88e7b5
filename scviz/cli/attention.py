"""What the command `attention` takes, prints and writes."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.running import carry_out, say, subject
from scviz.cli.words import DATASET
from scviz.networks.attention import SETTINGS, top_targets
from scviz.settings import Settings
from scviz.tasks.attention_network import TRUTH, Request, Result

NUMBERS = ("most_genes", "most_cells", "top", "n_null", "seed")


def add_command(commands: Any) -> None:
    """Offer networks of attention."""
    network = commands.add_parser(
        "attention", help="rank the targets of regulators by attention, beside co-expression"
    )
    network.add_argument("dataset", help=DATASET)
    network.add_argument("--checkpoint", default="", help="id of the weights; default: the newest")
    network.add_argument("--column", default="condition", help="column that tells two groups of cells apart")
    network.add_argument("--control", required=True, help="its value for control cells, or for group A")
    network.add_argument("--perturbed", required=True, help="its value for perturbed cells, or for group B")
    network.add_argument("--regulators", nargs="+", required=True, metavar="GENE")
    network.add_argument(
        "--prior",
        default="",
        help="table of known targets with the columns source and target, a list of targets from ChIP-Atlas, or "
        f'"{TRUTH}" for a simulated screen',
    )
    network.add_argument(
        "--published", action="store_true", help="break ties and leave out cells as the authors' code does"
    )
    fields = {field.name: field.default for field in dataclasses.fields(Request)}
    for name in NUMBERS:
        words = f"default {fields[name]}"
        network.add_argument(f"--{name.replace('_', '-')}", type=int, default=fields[name], help=words)
    network.add_argument("--csv", type=Path, help="write one row per regulator and gene here")
    network.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request."""
    prior = options.prior
    if prior and prior != TRUTH:
        prior = str(Path(prior).expanduser().resolve())
    return Request(
        dataset=dataset,
        checkpoint=checkpoint,
        column=options.column,
        control=options.control,
        perturbed=options.perturbed,
        regulators=tuple(options.regulators),
        prior=prior,
        published=options.published,
        **{name: getattr(options, name) for name in NUMBERS},
    )


def summary(result: Result, request: Request) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "genes": len(result.genes),
        "targets": {
            regulator: {
                setting: [result.genes[i] for i in top_targets(result.influence[setting][row], request.top)]
                for setting in SETTINGS
            }
            for row, regulator in enumerate(result.regulators)
        },
        "checks": [
            {
                "regulator": one.regulator,
                "setting": one.setting,
                "method": one.method,
                "auroc": round(one.auroc, 4),
                "hits": round(one.hits, 2),
                "of": one.top,
            }
            for one in result.checks
        ],
        "notes": list(result.notes),
    }


def write_influence(result: Result, path: Path) -> None:
    """Write one row per regulator and gene: influence and co-expression in each setting."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        kinds = {"influence": result.influence, "co-expression": result.coexpression}
        writer.writerow(
            ["regulator", "gene", *(f"{kind} {setting}" for kind in kinds for setting in SETTINGS)]
        )
        for row, regulator in enumerate(result.regulators):
            for column, gene in enumerate(result.genes):
                if gene != regulator:
                    values = [
                        float(of[setting][row, column]) for of in kinds.values() for setting in SETTINGS
                    ]
                    writer.writerow([regulator, gene, *values])


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Rank the targets of regulators by attention and print how they agree with known ones."""
    dataset, checkpoint = subject(options, settings)
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("attention_network", request, settings)
    say(run_id, request, result, settings=settings, **summary(result, request))
    if options.csv:
        write_influence(result, options.csv)
