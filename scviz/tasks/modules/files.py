"""Modules as files: gene sets, a table, links, a network; light enough for pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from scviz.networks.contract import GeneSet
from scviz.networks.module_scores import zero_to_one
from scviz.tasks.modules import Facts, Result


def gmt(modules: Iterable[GeneSet]) -> str:
    """Write modules in the GMT format: a line of each with its name, a description and its genes."""
    return "".join(
        "\t".join([one.name, f"{len(one.genes)} genes, the most central first", *one.genes]) + "\n"
        for one in modules
    )


def gene_table(result: Result) -> str:
    """Write a row per gene with its module, empty for none, and its similarity to the middle of the module."""
    places = {
        gene: (one.name, weight)
        for one in result.modules
        for gene, weight in zip(one.genes, one.weights, strict=True)
    }
    rows = [(gene, *places.get(gene, ("", ""))) for gene in result.genes]
    return _csv(("gene", "module", "similarity_to_module"), rows)


def link_table(result: Result) -> str:
    """Write a row per link, the strongest first."""
    edges = result.edges()
    rows = zip(edges.sources, edges.targets, edges.weights.round(6).tolist(), strict=True)
    return _csv(("gene_1", "gene_2", "weight"), rows)


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
        module = escape(module_of.get(gene, ""))
        lines.append(f'<node id={quoteattr(gene)}><data key="module">{module}</data></node>')
    for source, target, weight in zip(edges.sources, edges.targets, edges.weights.tolist(), strict=True):
        ends = f"source={quoteattr(source)} target={quoteattr(target)}"
        lines.append(f'<edge {ends}><data key="weight">{weight:.6g}</data></edge>')
    return "\n".join([*lines, "</graph>", "</graphml>", ""])


def described(module: GeneSet, facts: Facts, *, of_model: bool) -> dict[str, Any]:
    """Describe a module in a row of a table; one of a model beside those of plain co-expression."""
    row: dict[str, Any] = {
        "Module": module.name,
        "Genes": len(module.genes),
        "Correlation": facts.coherence,
        "of random genes": facts.random,
        "z": facts.z,
        "FDR": facts.fdr,
    }
    if of_model:
        row["Like co-expression"] = facts.overlap
    if facts.best_type:
        row |= {"Tells apart": facts.best_type, "AUROC": facts.auroc, "of random sets": facts.random_auroc}
    return row | {"Most central genes": ", ".join(module.genes[:12])}


def standardized(result: Result) -> NDArray[np.float32]:
    """Stretch the mean scores of each module from 0 to 1 over types, (M, T), as published heat maps show them."""
    return zero_to_one(result.mean_scores.T, axis=1)


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
