"""What the command `enrich` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, given, say
from scviz.cli.words import DATASET
from scviz.datasets.enrichr import LIBRARIES
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks import gene_terms
from scviz.tasks.enrichment import PROGRAMS, Request, Result
from scviz.tasks.enrichment.sources import libraries
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter

MOST_PRINTED = 20


def add_command(commands: Any) -> None:
    """Offer the test of gene sets."""
    enrich = commands.add_parser("enrich", help="ask what genes have in common, compared with random genes")
    enrich.add_argument("dataset", help=DATASET)
    enrich.add_argument("--genes", nargs="+", default=[], help="symbols or Ensembl ids")
    enrich.add_argument("--run", default="", help="id of a finished run with modules or regulons")
    enrich.add_argument("--set", dest="name", default="", help="which module or regulon of the run")
    enrich.add_argument("--column", default="", help="column that tells groups of cells apart")
    enrich.add_argument(
        "--group", default="", help="value of the column: the genes that tell these cells apart"
    )
    enrich.add_argument("--against", default="", help="value of the column; default: all other cells")
    enrich.add_argument(
        "--sets",
        default=PROGRAMS,
        help=f'"{PROGRAMS}" of scviz, a .gmt file, the id of gene terms, or a library of Enrichr, which is '
        f"downloaded once ({', '.join(LIBRARIES)})",
    )
    enrich.add_argument(
        "--checkpoint", default="", help="weights: only genes that they know are the background"
    )
    add_fields(enrich, Request)
    enrich.add_argument("--csv", type=Path, help="write one row per gene set here")
    enrich.add_argument(
        "--genes-csv", type=Path, help="write the genes that are asked for here, with their change"
    )
    enrich.set_defaults(command=run)


def sets_of(options: argparse.Namespace, workspace: Workspace) -> str | gene_terms.Request:
    """Find the gene sets that are named; those that are not here yet as a request to take them in.

    Raises
    ------
    RequestError
        If the name is that of nothing.
    """
    named = options.sets
    if named in libraries(workspace):
        return str(named)
    if named in LIBRARIES:
        here = [info.id for info in workspace.terms() if info.name == LIBRARIES[named]]
        return here[0] if here else gene_terms.Request(library=named)
    path = Path(named).expanduser().resolve()
    if not path.is_file():
        raise RequestError(
            f"There are no gene sets {named!r}, and no such file.",
            hint=f"Here are {', '.join(libraries(workspace))}; Enrichr has {', '.join(LIBRARIES)}.",
        )
    return gene_terms.Request(path=str(path))


def request_of(options: argparse.Namespace, dataset: str, sets: str) -> Request:
    """Turn options into a request."""
    named = {"dataset": dataset, "genes": tuple(options.genes), "sets": sets}
    return Request(**given(options, Request) | named)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found, beside random genes."""
    return {
        "verdict": result.verdict,
        "gene_sets": result.sets_name,
        "background": f"{result.n_background:,} {result.background}",
        "tested": result.n_sets,
        "enriched": result.n_passing,
        "by_the_plain_test": result.n_plain,
        "with_shuffled_groups": result.shuffled_passing.tolist(),
        "not_found": [*result.not_found[:MOST_PRINTED]],
        "genes": len(result.genes),
        "first": {
            one.name: {"fdr": one.fdr, "genes": len(one.genes), "of": one.n_set}
            for one in result.found[:MOST_PRINTED]
        },
        "notes": [*result.notes],
    }


def write_terms(result: Result, path: Path) -> None:
    """Write one row per gene set, with the sizes from which its numbers are made."""
    names = [field.name for field in dataclasses.fields(result.found[0])] if result.found else ["name"]
    sizes = {"n_genes": len(result.genes), "n_background": result.n_background}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow([*names, *sizes])
        for one in result.found:
            values = dataclasses.asdict(one) | {"genes": " ".join(one.genes)}
            writer.writerow([*(values[name] for name in names), *sizes.values()])


def write_genes(result: Result, path: Path) -> None:
    """Write one row per gene that is asked for; change and rate are empty for genes that were not compared."""
    empty = [""] * len(result.genes)
    change, rates = (values.tolist() or empty for values in (result.change, result.gene_fdr))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["gene", "log2_fold_change", "fdr"])
        writer.writerows(zip(result.genes, change, rates, strict=True))


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Test gene sets and print which hold more of the genes than chance gives."""
    dataset = dataset_of(options.dataset, settings)
    sets = sets_of(options, Workspace.from_settings(settings))
    if isinstance(sets, gene_terms.Request):
        sets = str(carry_out("gene_terms", sets, settings)[1].terms)
    request = request_of(options, dataset, sets)
    run_id, result = carry_out("enrichment", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_terms(result, options.csv)
    if options.genes_csv:
        write_genes(result, options.genes_csv)
