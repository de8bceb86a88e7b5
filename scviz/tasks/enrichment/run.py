"""Genes, gene sets, tests, random genes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.errors import DataError
from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import over_representation, prerank
from scviz.networks.enrichment_null import ByChance, overlap_by_chance, ranked_by_chance
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.enrichment import MOST_FDR, RankedTerm, Request, Result, Term
from scviz.tasks.enrichment.question import Question, ask
from scviz.tasks.enrichment.sources import libraries, library
from scviz.tasks.enrichment.verdict import beyond_chance, verdict


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading gene sets"))
    sets = library(context.workspace, request.sets)
    context.report(Progress(stage="Reading cells"))
    question = ask(request, context)
    tested = _tested(request, sets, question)
    terms: tuple[Term, ...] = ()
    ranked: tuple[RankedTerm, ...] = ()
    if request.method == "prerank":
        ranked, random = _ranked(request, tested, question, context)
    else:
        terms, random = _overlaps(request, tested, question, context)
    found: tuple[Term | RankedTerm, ...] = (*terms, *ranked)
    return Result(
        question=question.words,
        background=question.background,
        sets_name=libraries(context.workspace)[request.sets],
        method=request.method,
        terms=terms,
        ranked=ranked,
        genes=tuple(question.genes[i] for i in question.query),
        change=question.change,
        gene_fdr=question.gene_fdr,
        n_asked=question.n_asked,
        not_found=question.not_found,
        n_background=len(question.genes),
        n_sets=len(tested),
        n_untested=len(sets) - len(tested),
        n_passing=sum(one.fdr <= MOST_FDR for one in found),
        random_passing=random.n_passing,
        random_best=random.best,
        beyond_chance=beyond_chance(found, random),
        verdict=verdict(found, random, question.words),
        notes=question.notes,
        seconds=time.monotonic() - begun,
    )


def _tested(request: Request, sets: Sequence[GeneSet], question: Question) -> list[GeneSet]:
    """Keep sets of a size that can be tested."""
    measured = frozenset(question.genes)
    sizes = [len(measured & set(one.genes)) for one in sets]
    if not any(sizes):
        raise DataError(
            f"The gene sets name genes such as {sets[0].genes[0]}, the data {question.genes[0]}: none is in both.",
            hint="Take gene sets of the same species, with symbols as the data have them.",
        )
    kept = [
        one
        for one, size in zip(sets, sizes, strict=True)
        if request.fewest_genes <= size <= min(request.most_genes, len(measured) - 1)
    ]
    if not kept:
        raise DataError(
            f"No gene set has {request.fewest_genes:,} to {request.most_genes:,} of the {len(measured):,} genes of the "
            "background.",
            hint="Allow smaller sets, or take other ones.",
        )
    return kept


def _places(sets: Sequence[GeneSet], genes: Sequence[str]) -> list[NDArray[np.int64]]:
    place = {gene: i for i, gene in enumerate(genes)}
    return [np.array([place[g] for g in one.genes if g in place], dtype=np.int64) for one in sets]


def _overlaps(
    request: Request, sets: list[GeneSet], question: Question, context: Context
) -> tuple[tuple[Term, ...], ByChance]:
    """Test each set, the smallest p first."""
    context.report(Progress(stage="Testing gene sets"))
    found = over_representation([question.genes[i] for i in question.query], sets, question.genes).sets
    context.report(Progress(stage="Comparing with random genes"))
    random = overlap_by_chance(
        _places(sets, question.genes),
        question.query,
        question.levels,
        n_draws=request.n_random,
        most_fdr=MOST_FDR,
        seed=request.seed,
    )
    terms = [
        Term(
            name=one.name,
            description=sets[i].description,
            n_set=one.n_set,
            genes=one.overlap,
            expected=one.expected,
            expected_alike=float(random.overlap[i]),
            odds_ratio=one.odds_ratio,
            combined=one.combined,
            p=one.p,
            fdr=one.fdr,
            fdr_hit=one.fdr_hit,
            p_alike=float(random.p[i]),
        )
        for i, one in enumerate(found)
    ]
    terms.sort(key=lambda one: (one.p, -one.odds_ratio, one.name))
    return tuple(terms), random


def _ranked(
    request: Request, sets: list[GeneSet], question: Question, context: Context
) -> tuple[tuple[RankedTerm, ...], ByChance]:
    """Rank the genes, and give the sets with the largest normalized score first."""
    context.report(Progress(stage="Ranking genes"))
    found = prerank(
        dict(zip(question.genes, question.scores.tolist(), strict=True)),
        sets,
        n_permutations=request.n_permutations,
        fewest=request.fewest_genes,
        most=request.most_genes,
    )
    passing = [abs(one.nes) for one in found if one.fdr <= MOST_FDR and np.isfinite(one.nes)]
    order = np.argsort(-question.scores, kind="stable")
    members = _places(sets, [question.genes[i] for i in order])
    random = ranked_by_chance(
        question.scores[order],
        members,
        question.levels[order],
        bar=min(passing, default=np.inf),
        n_draws=request.n_random,
        seed=request.seed,
        report=context.report,
    )
    at = {one.name: i for i, one in enumerate(sets)}
    ranked = [
        RankedTerm(
            name=one.name,
            description=sets[at[one.name]].description,
            n_set=one.n_set,
            genes=one.leading,
            es=one.es,
            nes=one.nes,
            p=one.p,
            fdr=one.fdr,
            p_alike=float(random.p[at[one.name]]),
        )
        for one in found
    ]
    ranked.sort(key=lambda one: (-abs(np.nan_to_num(one.nes)), one.name))
    return tuple(ranked), random
