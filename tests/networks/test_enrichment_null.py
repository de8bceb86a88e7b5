"""How often gene sets are called enriched where there is nothing to find, by each test, and where there is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, fdr
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import over_representation
from scviz.networks.enrichment_null import all_by_chance, membership, overlap_by_chance, ranked_by_chance
from scviz.networks.shuffled_groups import mean_chance, shuffles, welch_differences
from scviz.tasks.enrichment import Request
from scviz.tasks.enrichment.inputs import Compared, Inputs, passes
from scviz.tasks.enrichment.judging import Judgement, judge
from scviz.tasks.enrichment.verdict import outcome

N_SEEDS = 200
MOST = binom.ppf(0.999, N_SEEDS, LEVEL)
N_GENES, N_SETS, SIZE = 200, 5, 15


def leaning(rng: np.random.Generator, n: int, *, toward: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw genes, (n,), those of high weight, (N,), more often."""
    return np.sort(rng.choice(len(toward), n, replace=False, p=toward / toward.sum()))


def of_overlaps(seed: int, *, n_shared: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the rates of the plain test and of random genes, (K,) each, for genes and sets that lean to high levels.

    The first set shares `n_shared` genes of its 15 with the 30 that are asked for, beyond those of chance.
    """
    rng = np.random.default_rng(seed)
    levels = rng.gamma(1.0, size=N_GENES)
    query = leaning(rng, 30, toward=levels)
    members = [leaning(rng, SIZE, toward=levels) for _ in range(N_SETS)]
    free = np.setdiff1d(query, members[0])[:n_shared]
    members[0] = np.sort(np.r_[free, members[0][: SIZE - len(free)]])
    null = MatchedNull(levels)
    found = overlap_by_chance(membership(members, N_GENES), query, null, n_draws=60, seed=seed)
    genes = [f"G{i}" for i in range(N_GENES)]
    sets = [GeneSet(name=str(i), genes=tuple(genes[g] for g in own)) for i, own in enumerate(members)]
    plain = over_representation([genes[i] for i in query], sets, genes).sets
    return np.array([one.fdr for one in plain]), fdr(found.p)


def test_genes_that_lean_to_high_expression_pass_the_plain_test_too_often_and_random_genes_seldom() -> None:
    found = [of_overlaps(seed) for seed in range(N_SEEDS)]
    assert sum((plain <= LEVEL).any() for plain, _ in found) > MOST
    assert sum((rates <= LEVEL).any() for _, rates in found) <= MOST


def test_a_set_of_which_more_than_half_is_asked_for_is_found() -> None:
    assert sum(of_overlaps(seed, n_shared=8)[1][0] <= LEVEL for seed in range(30)) >= 27  # power of 90 %


def test_genes_that_lean_to_nothing_seldom_pass_the_plain_test() -> None:
    genes, passed = [f"G{i}" for i in range(N_GENES)], 0
    for seed in range(N_SEEDS):
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(genes, SIZE, replace=False).tolist() for _ in range(N_SETS)]
        sets = [GeneSet(name=str(i), genes=tuple(own)) for i, own in enumerate(drawn)]
        found = over_representation(rng.choice(genes, 30, replace=False).tolist(), sets, genes).sets
        passed += any(one.fdr <= LEVEL for one in found)
    assert passed <= MOST


def of_ranking(seed: int, *, lift: float = 0.0) -> NDArray[np.float64]:
    """Give the rates of 3 sets in a ranking that follows expression, (3,); the first is lifted."""
    rng = np.random.default_rng(seed)
    levels = rng.gamma(1.0, size=N_GENES)
    members = [leaning(rng, SIZE, toward=levels) for _ in range(3)]
    scores = levels + rng.normal(size=N_GENES)
    scores[members[0]] += lift
    order = np.argsort(-scores)
    places = np.argsort(order)
    found = ranked_by_chance(
        scores[order], [places[own] for own in members], MatchedNull(levels[order]), n_draws=40, seed=seed
    )
    return fdr(found.p)


def test_sets_of_a_ranking_by_expression_seldom_pass_among_random_sets_and_a_lifted_one_does() -> None:
    assert sum((of_ranking(seed) <= LEVEL).any() for seed in range(N_SEEDS)) <= MOST
    assert sum(of_ranking(seed, lift=2.5)[0] <= LEVEL for seed in range(20)) >= 18  # power of 90 %


def cells_of(seed: int, *, lift: float = 0.0) -> tuple[sp.csr_matrix, list[NDArray[np.int64]]]:
    """Draw 40 cells and 5 sets whose genes rise and fall together; in the first 20 cells the first set is lifted."""
    rng = np.random.default_rng(seed)
    members = [np.arange(i * SIZE, (i + 1) * SIZE) for i in range(N_SETS)]
    level = np.log(rng.gamma(1.0, size=N_GENES) + 0.3) + 0.3 * rng.normal(size=(40, N_GENES))
    for own in members:
        level[:, own] += 0.7 * rng.normal(size=(40, 1))
    level[:20, members[0]] += lift
    return sp.csr_matrix(np.log1p(rng.poisson(np.exp(level)))), members


def means(seed: int, *, lift: float = 0.0) -> NDArray[np.float64]:
    """Give the rates of mean scores by shuffled groups, (K,)."""
    cells, members = cells_of(seed, lift=lift)
    own = (np.arange(40) < 20).astype(float)[:, None]
    drawn = shuffles(20, 40, 40, rng=np.random.default_rng(seed))
    scores = welch_differences(cells, own)[:, 0], welch_differences(cells, drawn)
    return fdr(mean_chance(membership(members, N_GENES), *scores))


def test_sets_whose_genes_go_together_seldom_pass_between_groups_that_do_not_differ() -> None:
    assert sum((means(seed) <= LEVEL).any() for seed in range(N_SEEDS)) <= MOST
    assert sum(means(seed, lift=1.5)[0] <= LEVEL for seed in range(20)) >= 18  # power of 90 %


def judged(seed: int, *, lift: float = 0.0) -> Any:
    """Judge genes that are higher in the first 20 cells, whether or not by chance, as a run does."""
    cells, members = cells_of(seed, lift=lift)
    request = Request(
        dataset="d", column="c", group="a", max_fdr=1.0, least_change=0.5, n_random=40, n_shuffles=20
    )
    expression = cells.toarray()
    change = np.log2(
        (np.expm1(expression[:20].mean(axis=0)) + 1e-9) / (np.expm1(expression[20:].mean(axis=0)) + 1e-9)
    )
    chosen = passes(request, np.zeros(N_GENES), np.nan_to_num(change))
    genes = tuple(f"G{i}" for i in range(N_GENES))
    inputs = Inputs(
        words="genes", background="genes", genes=genes, levels=expression.mean(axis=0),
        query=np.flatnonzero(chosen), n_asked=int(chosen.sum()), compared=Compared(cells=cells, n_first=20),
    )  # fmt: skip
    sets = [GeneSet(name=str(i), genes=tuple(genes[g] for g in own)) for i, own in enumerate(members)]
    context: Any = SimpleNamespace(report=lambda _: None)
    return judge(request, sets, inputs, context=context)


def test_a_run_seldom_calls_a_set_between_groups_that_do_not_differ_though_the_plain_test_does() -> None:
    found = [judged(seed) for seed in range(N_SEEDS)]
    assert sum(one.n_passing > 0 for one in found) <= MOST
    assert sum(one.n_plain > 0 for one in found) > MOST


def test_a_run_calls_a_set_that_differs() -> None:
    found = [min(one.fdr for one in judged(seed, lift=1.5).terms if one.name == "0") for seed in range(20)]
    assert np.mean(np.array(found) <= LEVEL) >= 0.8


def test_the_chance_that_a_set_holds_all_genes_is_that_of_drawing_them() -> None:
    rng, query = np.random.default_rng(0), np.array([10, 40, 100, 105, 107, 150])
    null = MatchedNull(np.arange(float(N_GENES)))
    held = membership([rng.choice(N_GENES, size, replace=False) for size in (60, 120, 180)], N_GENES)
    drawn = null.sets(query, 50_000, rng=rng, own_too=True)
    with_query = held.toarray()
    with_query[:, query] = 1
    expected = with_query[:, drawn].all(axis=2).mean(axis=1)
    assert np.allclose(all_by_chance(held, query, null), expected, rtol=0.2, atol=2e-4)


def typed(n: int) -> Judgement:
    """Judge n genes that all lie in a set of 12, to which two thirds of the genes expressed alike belong."""
    n_genes = 400
    genes = tuple(f"G{i}" for i in range(n_genes))
    sets = [GeneSet(name="alike", genes=tuple(genes[i] for i in range(390, 370, -3)) + genes[391:396])]
    sets += [GeneSet(name=f"other {i}", genes=genes[10 * i : 10 * i + 10]) for i in range(30)]
    place = {gene: i for i, gene in enumerate(genes)}
    inputs = Inputs(
        words="genes", background="genes", genes=genes, levels=np.arange(float(n_genes)),
        query=np.sort([place[gene] for gene in sets[0].genes[:n]]), n_asked=n,
    )  # fmt: skip
    context: Any = SimpleNamespace(report=lambda _: None)
    return judge(Request(dataset="d", genes=genes[:n], n_random=20), sets, inputs, context=context)


def test_a_set_that_holds_all_genes_and_cannot_pass_is_not_said_to_hold_no_more_than_random_ones() -> None:
    few = typed(3)
    assert (
        few.terms[0].p_overlap <= LEVEL / 31 < few.terms[0].p_alike
    )  # the plain test could, the matched not
    assert outcome(few) == "unknown"
    assert few.lacking.startswith("alike could not pass with all 3 genes in it")
    needed = int(few.lacking.split("about ")[1].split()[0])
    assert outcome(typed(needed)) == "better"
