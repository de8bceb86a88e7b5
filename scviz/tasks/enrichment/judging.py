"""Gene sets beside expression-matched random genes and, for genes chosen between groups of cells, shuffled groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import hypergeom

from scviz.metrics.evidence import LEVEL, counted, fdr, random_needed
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import over_representation, prerank
from scviz.networks.enrichment_null import (
    ByChance,
    all_by_chance,
    membership,
    overlap_by_chance,
    ranked_by_chance,
)
from scviz.networks.shuffled_groups import (
    mean_chance,
    overlap_p,
    pooled_chance,
    rank_sum_differences,
    shuffles,
    welch_differences,
)
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.enrichment import MOST_FDR, RankedTerm, Request, Term
from scviz.tasks.enrichment.inputs import Compared, Inputs, passes

SHUFFLED_AT_ONCE = 25
TESTED = ("name", "description", "p_alike", "n_alike", "p_shuffled", "p", "fdr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of K sets."""

    terms: tuple[Term, ...] = ()
    """The smallest p first; empty for a ranking."""
    ranked: tuple[RankedTerm, ...] = ()
    """The smallest p first; empty without ranking."""
    n_plain: int
    """Sets that the plain test alone calls."""
    shuffled_passing: NDArray[np.int64]
    """(P,) sets that the plain test calls with shuffled groups; empty without groups."""
    lacking: str
    """What it would take for a set to pass that could not have, where none passes; empty where all could."""

    @property
    def found(self) -> tuple[Term | RankedTerm, ...]:
        """The K sets, of either kind."""
        return (*self.terms, *self.ranked)

    @property
    def n_passing(self) -> int:
        """Sets at a false discovery rate of 5 %."""
        return sum(one.fdr <= MOST_FDR for one in self.found)


def places_of(sets: Sequence[GeneSet], genes: Sequence[str]) -> list[NDArray[np.int64]]:
    """Find the places of the genes of each set among N genes, a (m,) array for each."""
    place = {gene: i for i, gene in enumerate(genes)}
    return [np.array([place[g] for g in one.genes if g in place], dtype=np.int64) for one in sets]


def judge(request: Request, sets: list[GeneSet], inputs: Inputs, *, context: Context) -> Judgement:
    """Test every set."""
    test = _ranking if request.method == "prerank" else _overlaps
    return test(request, sets, inputs, context=context)


def _overlaps(request: Request, sets: list[GeneSet], inputs: Inputs, *, context: Context) -> Judgement:
    """Test whether sets hold more of the genes than chance gives."""
    context.report(Progress(stage="Testing gene sets"))
    found = over_representation([inputs.genes[i] for i in inputs.query], sets, inputs.genes).sets
    held = membership(places_of(sets, inputs.genes), len(inputs.genes))
    context.report(Progress(stage="Comparing with random genes"))
    null = MatchedNull(inputs.levels)
    random = overlap_by_chance(held, inputs.query, null, n_draws=request.n_random, seed=request.seed)
    plain = np.array([one.p for one in found])
    shuffled, passing = np.full(len(sets), np.nan), np.empty(0, dtype=np.int64)
    if inputs.compared is not None:
        drawn = _shuffled_overlaps(request, held, inputs.compared, context=context)
        shuffled, passing = pooled_chance(plain, drawn), _passing(drawn)
    tests = _tests(sets, random, shuffled, plain=plain)
    terms = [
        Term(
            n_set=one.n_set,
            genes=one.overlap,
            expected=one.expected,
            expected_alike=float(random.expected[i]),
            odds_ratio=one.odds_ratio,
            combined=one.combined,
            p_overlap=one.p,
            fdr_hit=one.fdr_hit,
            **tests[i],
        )
        for i, one in enumerate(found)
    ]
    lacking = ""
    if not any(one.fdr <= MOST_FDR for one in terms):
        alike = all_by_chance(held, inputs.query, null)
        lacking = (
            _few_cells(inputs, len(sets))
            or _few_genes(terms, alike, n_query=len(inputs.query), n_genes=len(inputs.genes))
            or _few_draws(random.n, random.far)
        )
    terms.sort(key=lambda one: (np.nan_to_num(one.p, nan=1.0), one.p_overlap, -one.odds_ratio, one.name))
    return Judgement(
        terms=tuple(terms),
        n_plain=int((fdr(plain) <= MOST_FDR).sum()),
        shuffled_passing=passing,
        lacking=lacking,
    )


def _tests(
    sets: Sequence[GeneSet],
    random: ByChance,
    shuffled: NDArray[np.float64],
    *,
    plain: NDArray[np.float64] | None = None,
) -> list[dict[str, Any]]:
    """Say of each set what every test says, and the largest p of all with its false discovery rate.

    Parameters
    ----------
    shuffled, plain
        (K,) p of shuffled groups and of the plain test.
    """
    p = _largest(random.p, shuffled, *(() if plain is None else (plain,)))
    numbers = (one.tolist() for one in (random.p, random.n, shuffled, p, fdr(p)))
    rows = zip([one.name for one in sets], [one.description for one in sets], *numbers, strict=True)
    return [dict(zip(TESTED, row, strict=True)) for row in rows]


def _largest(*p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the largest p of each set, (K,); tests that were not made are left out, but not those that failed."""
    made = [one for one in p if np.isfinite(one).any()]
    return np.asarray(np.max(made, axis=0))


def _shuffled_overlaps(
    request: Request, held: sp.csr_matrix, compared: Compared, *, context: Context
) -> NDArray[np.float64]:
    """Choose genes between shuffled groups by the same cuts, and test sets for them, (K, P)."""
    rng, found = np.random.default_rng(request.seed), []
    for done in range(0, request.n_shuffles, SHUFFLED_AT_ONCE):
        context.report(Progress(stage="Shuffling groups", done=done, total=request.n_shuffles))
        n_now = min(SHUFFLED_AT_ONCE, request.n_shuffles - done)
        first = shuffles(compared.n_first, compared.cells.shape[0], n_now, rng=rng)
        differences = rank_sum_differences(compared.cells, first)
        rates = np.apply_along_axis(fdr, 0, differences.p_value)
        found.append(overlap_p(held, passes(request, rates, differences.log2_fold_change)))
    return np.concatenate(found, axis=1)


def _passing(p: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the sets that pass in each shuffle; p is (K, P)."""
    return np.asarray((np.apply_along_axis(fdr, 0, p) <= MOST_FDR).sum(axis=0), dtype=np.int64)


def _ranking(request: Request, sets: list[GeneSet], inputs: Inputs, *, context: Context) -> Judgement:
    """Test whether the genes of sets lie near one end of the ranking."""
    context.report(Progress(stage="Ranking genes"))
    found = prerank(
        dict(zip(inputs.genes, inputs.scores.tolist(), strict=True)),
        sets,
        n_permutations=request.n_permutations,
        fewest=request.fewest_genes,
        most=request.most_genes,
    )
    order = np.argsort(-inputs.scores, kind="stable")
    random = ranked_by_chance(
        inputs.scores[order],
        places_of(sets, [inputs.genes[i] for i in order]),
        MatchedNull(inputs.levels[order]),
        n_draws=request.n_random,
        seed=request.seed,
        report=context.report,
    )
    shuffled = _shuffled_means(request, membership(places_of(sets, inputs.genes), len(inputs.genes)), inputs)
    tests = {one["name"]: one for one in _tests(sets, random, shuffled)}
    ranked = [
        RankedTerm(
            n_set=one.n_set,
            genes=one.leading,
            es=one.es,
            nes=one.nes,
            fdr_published=one.fdr,
            **tests[one.name],
        )
        for one in found
    ]
    ranked.sort(key=lambda one: (np.nan_to_num(one.p, nan=1.0), one.p_shuffled, one.name))
    return Judgement(
        ranked=tuple(ranked),
        n_plain=sum(one.fdr <= MOST_FDR for one in found),
        shuffled_passing=np.empty(0, dtype=np.int64),
        lacking=_few_cells(inputs, len(sets)) or _few_draws(random.n, random.far),
    )


def _shuffled_means(request: Request, held: sp.csr_matrix, inputs: Inputs) -> NDArray[np.float64]:
    """Compare the mean score of each set with that of shuffled groups, (K,); held is (K, N)."""
    compared = inputs.compared
    if compared is None:
        return np.full(held.shape[0], np.nan)
    rng = np.random.default_rng(request.seed)
    first = shuffles(compared.n_first, compared.cells.shape[0], request.n_shuffles, rng=rng)
    own = welch_differences(compared.cells, compared.first)[:, 0]
    return mean_chance(held, own, welch_differences(compared.cells, first))


def _few_cells(inputs: Inputs, n_sets: int) -> str:
    """Say how many cells it takes for the groups to be shuffled in enough ways; empty where there are enough."""
    if inputs.compared is None:
        return ""
    n_cells, n_first = inputs.compared.cells.shape[0], inputs.compared.n_first
    needed = random_needed(n_sets)
    if comb(n_cells, n_first) > needed:
        return ""
    size = next(size for size in range(2, n_cells + 100) if comb(2 * size, size) > needed)
    sizes = f"{n_first:,} and {n_cells - n_first:,} cells"
    return f"{sizes} can be shuffled in too few ways; {size:,} in each group would do"


def _few_genes(terms: Sequence[Term], alike: NDArray[np.float64], *, n_query: int, n_genes: int) -> str:
    """Say how many genes it takes for a set to pass, were all of them in it; empty where there are enough.

    No set passed. One that holds more than random genes give, but could not have passed with every gene in it, leaves
    open whether it would with more genes.

    Parameters
    ----------
    alike
        (K,) chance of each set that it holds all random genes, did it hold all of the query.
    """
    bar, sizes = LEVEL / len(terms), np.array([one.n_set for one in terms])
    plain = hypergeom.sf(np.minimum(n_query, sizes) - 1, n_genes, sizes, n_query)
    stuck = np.where(sizes < n_query, plain, np.maximum(plain, alike)) > bar
    needed = [
        _genes_needed(n_query, int(size), n_genes=n_genes, rate=rate, bar=bar)
        for size, rate in zip(sizes, alike ** (1 / n_query), strict=True)
    ]
    genes = counted(n_query, "gene")
    if stuck.all():
        more = min((one for one in needed if one), default=0)
        tail = f"; {more:,} or more would" if more else ""
        return f"with {genes} no set could pass, were all of them in it{tail}"
    open_ones = stuck & (sizes >= n_query) & np.array([len(one.genes) > one.expected_alike for one in terms])
    return _left_open(terms, open_ones.tolist(), needed=needed, genes=genes) if open_ones.any() else ""


def _left_open(terms: Sequence[Term], open_ones: list[bool], *, needed: list[int], genes: str) -> str:
    """Name the first set that no overlap could have made pass."""
    place = min((i for i, is_open in enumerate(open_ones) if is_open), key=lambda i: terms[i].p)
    tail = f"; about {needed[place]:,} genes expressed like these would do" if needed[place] else ""
    all_of_them = "the gene" if genes == "1 gene" else f"all {genes}"
    return (
        f"{terms[place].name} could not pass with {all_of_them} in it, as expression-matched random genes are in it "
        f"too often{tail}"
    )


def _genes_needed(n_query: int, size: int, *, n_genes: int, rate: float, bar: float) -> int:
    """Give how many genes take a set that holds them all below the bar, each in it by chance at a rate; 0 for none."""
    n = np.arange(n_query + 1, size + 1)
    p = np.maximum(hypergeom.sf(n - 1, n_genes, size, n), rate**n)
    return int(n[p <= bar][0]) if (p <= bar).any() else 0


def _few_draws(n: NDArray[np.int64], far: NDArray[np.int64]) -> str:
    """Say how many draws it takes, where a set that no draw reaches cannot pass; n and far are (K,)."""
    if not n.any():
        return "there are too few other genes to draw random ones from"
    needed, p = random_needed(len(n)), (1 + far) / (1 + n)
    out = (far <= 1) & (n > 0)  # no draw does as well
    if not out.any() or n[out].max() >= needed or p[out].min() <= LEVEL * out.sum() / len(n):
        return ""
    return f"{int(n[out].max()):,} random draws are too few for {len(n):,} sets; {2 * needed:,} would do"
