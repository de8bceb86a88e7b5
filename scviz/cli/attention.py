"""What the command `attention` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, given, say, subject
from scviz.cli.words import DATASET
from scviz.networks.attention import SETTINGS, top_targets
from scviz.settings import Settings
from scviz.tasks.attention_network import TRUTH, Request, Result
from scviz.workspace.csv_files import CsvWriter
from scviz.workspace.records import files_version


def add_command(commands: Any) -> None:
    """Offer networks of attention."""
    network = commands.add_parser(
        "attention", help="rank the targets of regulators by attention, compared with co-expression"
    )
    network.add_argument("dataset", help=DATASET)
    network.add_argument("--checkpoint", default="", help="id of the checkpoint; default: the newest")
    add_fields(network, Request)
    network.add_argument("--regulators", nargs="+", required=True, metavar="GENE")
    network.add_argument(
        "--prior",
        default="",
        help="prior network (TF - target): a table with the columns source and target, a list of targets from "
        f'ChIP-Atlas, or "{TRUTH}" for a simulated screen',
    )
    network.add_argument("--csv", type=Path, help="write one row per regulator and gene here")
    network.add_argument("--controls", type=Path, help="write the area of each control regulator here")
    network.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request."""
    prior = options.prior
    if prior and prior != TRUTH:
        prior = str(Path(prior).expanduser().resolve())
    version = "" if prior == TRUTH else files_version(prior)
    named = {"dataset": dataset, "checkpoint": checkpoint, "prior": prior, "files_version": version}
    return Request(**given(options, Request) | named | {"regulators": tuple(options.regulators)})


def summary(result: Result, request: Request) -> dict[str, Any]:
    """Say what was found."""
    return {
        "outcome": result.outcome,
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
                "odds_ratio": round(one.odds_ratio, 4),
                **({"place": one.place.words, "fdr": round(one.fdr, 4)} if one.place is not None else {}),
            }
            for one in result.checks
        ],
        "notes": list(result.notes),
    }


def write_influence(result: Result, path: Path) -> None:
    """Write one row per regulator and gene: known target or not, influence and co-expression in each setting."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        kinds = {"influence": result.influence, "co-expression": result.coexpression}
        writer.writerow(
            ["regulator", "gene", "known", *(f"{kind} {setting}" for kind in kinds for setting in SETTINGS)]
        )
        for row, regulator in enumerate(result.regulators):
            for column, gene in enumerate(result.genes):
                if gene != regulator:
                    values = [
                        float(of[setting][row, column]) for of in kinds.values() for setting in SETTINGS
                    ]
                    writer.writerow([regulator, gene, int(result.known[row, column]), *values])


def write_controls(result: Result, path: Path) -> None:
    """Write the area of each control regulator in each setting: what places and false discovery rates come from."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["regulator", "setting", "control", "auroc"])
        for setting, areas in result.control_auroc.items():
            for regulator, names, row in zip(result.regulators, result.control_genes, areas, strict=True):
                pairs = zip(names, row.tolist(), strict=True)
                writer.writerows([regulator, setting, *pair] for pair in pairs)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Rank the targets of regulators by attention and print how they agree with known ones."""
    dataset, checkpoint = subject(options, settings)
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("attention_network", request, settings)
    say(run_id, request, result, settings=settings, **summary(result, request))
    if options.csv:
        write_influence(result, options.csv)
    if options.controls:
        write_controls(result, options.controls)
