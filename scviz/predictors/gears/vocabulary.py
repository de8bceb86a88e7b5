"""Genes that can be perturbed, and which of them are alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scviz.errors import DataError
from scviz.predictors.gears.graphs import GeneGraph, term_graph


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Genes that can be perturbed."""

    genes: tuple[str, ...]
    graph: GeneGraph
    """Arrows between those that are alike, in the order of `genes`."""
    note: str
    """How they were joined, a sentence."""


def by_terms(terms: Mapping[str, frozenset[str]], wanted: Collection[str], *, n_neighbors: int) -> Vocabulary:
    """Take those of the wanted genes that have a term, in alphabetical order.

    Raises
    ------
    DataError
        If none of them has.
    """
    genes = tuple(sorted(gene for gene in set(wanted) if terms.get(gene)))
    if not genes:
        raise DataError(
            "None of the genes has a term in the gene sets.",
            hint="Choose gene sets with symbols of the same species, or go without gene sets.",
        )
    graph = term_graph(terms, genes, n_neighbors=n_neighbors)
    note = f"Genes that share terms: {graph.n_between:,} arrows between {len(genes):,} genes."
    return Vocabulary(genes, graph, note)


def by_expression(measured: Sequence[str], coexpression: GeneGraph, others: Collection[str]) -> Vocabulary:
    """Take the measured genes, joined where they are expressed together, and others, which are joined to none."""
    names = tuple(dict.fromkeys(measured))
    genes = (*names, *sorted(set(others).difference(names)))
    place = {gene: i for i, gene in enumerate(genes)}
    graph = coexpression.placed(np.array([place[gene] for gene in measured], dtype=np.int64), len(genes))
    note = "No gene sets were given: perturbations are alike where their genes are expressed together."
    return Vocabulary(genes, graph, note)
