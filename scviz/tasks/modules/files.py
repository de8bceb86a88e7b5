"""Modules as files: gene sets, a table, links, a network; light enough for pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import counted
from scviz.networks.contract import GeneSet
from scviz.networks.gmt import gmt_text
from scviz.networks.module_scores import zero_to_one
from scviz.plots.xml_text import xml_text
from scviz.tasks.modules import Facts, Result
from scviz.workspace.csv_files import csv_text


def gmt(modules: Iterable[GeneSet]) -> str:
    """Write modules in the GMT format: a line of each with its name, a description and its genes."""
    return gmt_text(
        replace(one, description=f"{counted(len(one.genes), 'gene')}, the most central first")
        for one in modules
    )


def gene_table(result: Result) -> str:
    """Write a row per gene: its module, empty for none, its similarity to the middle, its module by other methods."""
    places = {
        gene: (one.name, weight)
        for one in result.modules
        for gene, weight in zip(one.genes, one.weights, strict=True)
    }
    others = list(result.membership)[1:]
    rows = []
    for number, gene in enumerate(result.genes):
        modules = [int(result.membership[method][number]) for method in others]
        names = [f"Module {one + 1}" if one >= 0 else "" for one in modules]
        rows.append((gene, *places.get(gene, ("", "")), *names))
    return _csv(("gene", "module", "similarity_to_module", *(f"module by {one}" for one in others)), rows)


MODULE_COLUMNS = (
    *(
        "method",
        "module",
        "genes",
        "genes_compared",
        "correlation",
        "random",
        "random_spread",
        "judged",
        "rank",
    ),
    *(
        "random_sets",
        "p",
        "fdr",
        "overlap_with_co-expression",
        "best_type",
        "auroc",
        "type_rank",
        "type_draws",
    ),
)


def module_table(result: Result) -> str:
    """Write a row per module of every method with all that is said of it; types of the method asked for."""
    rows = []
    for method, judged in result.methods.items():
        for number, (one, rate) in enumerate(zip(judged.held, judged.rates.tolist(), strict=True)):
            facts = _told(result.facts[number]) if judged is result.own else ("",) * 5
            rows.append(
                (
                    *(method, f"Module {number + 1}", one.n_genes, judged.n_compared),
                    *(one.mean, one.random, one.spread, one.place.own),
                    *(one.place.rank, one.place.n, one.place.p, rate, *facts),
                )
            )
    return _csv(MODULE_COLUMNS, rows)


def _told(facts: Facts) -> tuple[Any, ...]:
    return (facts.overlap, facts.best_type, facts.auroc, facts.type_place.rank, facts.type_place.n)


USED = ("", "finding", "judging")


def cell_columns(result: Result) -> dict[str, list[Any]]:
    """Give what is known of each of N cells, by name of a column: scores, what it was used for, and what it says.

    A gain is the mean of its column, and types are told apart in the cells with `told`.
    """
    told = np.zeros(len(result.used), dtype=int)
    told[result.told] = 1
    columns: dict[str, list[Any]] = {
        one.name: result.scores[:, i].tolist() for i, one in enumerate(result.modules)
    }
    columns |= {"used": [USED[one] for one in result.used], "told": told.tolist()}
    for method, values in result.by_cell.items():
        gain = np.full(len(result.used), "", dtype=object)
        gain[result.used == 2] = values.tolist()
        columns[f"gain over {method}"] = gain.tolist()
    return columns


def graphml(result: Result) -> str:
    """Write genes with their modules and links with their weights in the GraphML format."""
    edges, module_of = result.edges(), result.module_of()
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
        '<key id="module" for="node" attr.name="module" attr.type="string"/>',
        '<key id="weight" for="edge" attr.name="weight" attr.type="double"/>',
        '<graph id="modules" edgedefault="undirected">',
    ]
    for gene in result.genes:
        module = escape(xml_text(module_of.get(gene, "")))
        lines.append(f'<node id={quoteattr(xml_text(gene))}><data key="module">{module}</data></node>')
    for source, target, weight in zip(edges.sources, edges.targets, edges.weights.tolist(), strict=True):
        ends = f"source={quoteattr(xml_text(source))} target={quoteattr(xml_text(target))}"
        lines.append(f'<edge {ends}><data key="weight">{weight:.6g}</data></edge>')
    return "\n".join([*lines, "</graph>", "</graphml>", ""])


def described(result: Result, number: int) -> dict[str, Any]:
    """Describe a module in a row of a table; one of a model beside those of plain co-expression."""
    module, held, facts = result.modules[number], result.own.held[number], result.facts[number]
    row: dict[str, Any] = {
        "Module": module.name,
        "Genes": held.n_genes,
        "Correlation": held.mean,
        "of random genes": held.random,
        "Place": held.place.words if held.place.n else "cannot tell",
        "FDR": float(result.own.rates[number]),
    }
    if result.source != "expression":
        row["Like co-expression"] = facts.overlap
    if facts.best_type:
        place = facts.type_place.words if facts.type_place.n else "cannot tell"
        row |= {"Tells apart": facts.best_type, "AUROC": facts.auroc, "among random draws": place}
    return row | {"Most central genes": ", ".join(module.genes[:12])}


def standardized(result: Result) -> NDArray[np.float32]:
    """Stretch the mean scores of each module from 0 to 1 over types, (M, T), as published heat maps show them."""
    return zero_to_one(result.mean_scores.T, axis=1)


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    return csv_text(chain([head], rows))
