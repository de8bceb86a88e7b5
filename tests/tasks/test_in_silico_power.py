"""What edits are found with the random genes that the product draws by itself, and what is said where none can be."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from scviz.tasks.in_silico import Effect, Request, Ruler
from scviz.tasks.in_silico.genes import GenesSeen
from scviz.tasks.in_silico.inputs import _Drawing, _levels
from scviz.tasks.in_silico.statistics import Random, alone, placed
from scviz.tasks.in_silico.verdict import Compared, Judgement, of_one, of_sweep

N_GENES, N_CELLS, N_LISTED, N_PLANTED = 2000, 200, 50, 10
SPREAD = 0.5
"""Genes expressed alike differ by a factor of 1.65 (one standard deviation) in how far they move cells."""
CELL_SPREAD = 0.5
"""So do the cells of one gene; random genes are edited in 3 of them."""
RULER = Ruler(words="the distance between B cell and T cell", distance=100.0, goal_distance=1.0)


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A list of genes, of which the first few move cells farther by a factor, and the random genes drawn for it."""

    request: Request
    own: NDArray[np.float64]
    levels: NDArray[np.float64]
    random: Random
    n_drawable: int

    def judged(self) -> Judgement:
        shifts = placed(self.own, self.levels, self.random)
        effects = [
            Effect(genes=(f"G{i}",), n_cells=N_CELLS, expression=1.0, level=float(level), moved=shift)
            for i, (shift, level) in enumerate(zip(shifts, self.levels, strict=True))
        ]
        if not self.request.sweep:
            return of_one(self.request, effects[0], RULER)
        compared = Compared(
            null="shared",
            n_tests=len(effects),
            n_random=len(self.random.means),
            n_drawable=self.n_drawable,
            alone=alone(self.random),
        )
        return of_sweep(self.request, effects, ruler=RULER, compared=compared)


def simulated(seed: int, *, n_genes: int, n_planted: int, factor: float, n_random: int = 0) -> Simulated:
    rng = np.random.default_rng(seed)
    mean = rng.gamma(0.5, 1.0, N_GENES)
    seen = GenesSeen(
        names=tuple(f"G{i}" for i in range(N_GENES)),
        known=np.ones(N_GENES, dtype=np.bool_),
        n_cells=np.maximum(1, (N_CELLS * (1 - np.exp(-3 * mean))).astype(np.int64)),
        n_used=N_CELLS,
    )
    levels = _levels(seen, mean)
    moves = np.exp(SPREAD * rng.normal(size=N_GENES)) * (1 + 4 * levels / N_GENES)
    asked = rng.choice(np.flatnonzero(seen.n_cells > 100), n_genes, replace=False)
    request = Request(
        dataset="d",
        checkpoint="c",
        genes=tuple(f"G{i}" for i in asked),
        together=n_genes == 1,
        n_random=n_random,
        seed=seed,
    )
    drawn = _Drawing(request, seen, mean).beside([(int(gene),) for gene in asked], n_genes)
    random = np.array([gene for (gene,) in drawn.sets])
    moves[asked[:n_planted]] *= factor

    def averaged(genes: NDArray[np.int64], n_cells: int) -> NDArray[np.float64]:
        noise = np.exp(CELL_SPREAD * rng.normal(size=(len(genes), n_cells)))
        return np.asarray((moves[genes, None] * noise).mean(axis=1))

    return Simulated(
        request=request,
        own=averaged(asked, N_CELLS),
        levels=levels[asked],
        random=Random(
            null=drawn.null,
            means=averaged(random, request.random_cells),
            levels=levels[random],
            same=np.full(n_genes, -1),
            n_tests=n_genes,
        ),
        n_drawable=drawn.n_drawable,
    )


@pytest.mark.parametrize(("factor", "share"), [(2, 0.2), (3, 0.45), (5, 0.9)])
def test_one_gene_is_found_as_often_as_is_stated(factor: float, share: float) -> None:
    """With 199 random genes: 28 % of those that move cells twice as far as usual, 56 % at three, 95 % at five times."""
    runs = [simulated(seed, n_genes=1, n_planted=1, factor=factor) for seed in range(100)]
    assert {len(run.random.means) for run in runs} == {199}
    assert np.mean([run.judged().outcome == "better" for run in runs]) >= share


@pytest.mark.parametrize(("factor", "share"), [(3, 0.15), (5, 0.55), (10, 0.95), (50, 0.99)])
def test_genes_of_a_list_are_found_as_often_as_is_stated(factor: float, share: float) -> None:
    """Ten of fifty, with 999: 26 % at three times as far as usual, 66 % at five, 98 % at ten, all at fifty times."""
    runs = [simulated(seed, n_genes=N_LISTED, n_planted=N_PLANTED, factor=factor) for seed in range(20)]
    assert {len(run.random.means) for run in runs} == {999}
    found = [placed(run.own, run.levels, run.random)[:N_PLANTED] for run in runs]
    assert np.mean([[shift.fdr <= 0.05 for shift in one] for one in found]) >= share


def test_what_too_few_random_genes_cannot_tell_is_found_with_as_many_as_are_named() -> None:
    few = [simulated(seed, n_genes=N_LISTED, n_planted=1, factor=50, n_random=199) for seed in range(10)]
    said = [run.judged() for run in few]
    assert {one.outcome for one in said} == {"unknown"}
    named = re.search(r"it would take ([\d,]+) random genes for one gene of 50 to pass", said[0].sentence)
    assert named is not None
    needed = int(named[1].replace(",", ""))
    enough = [
        simulated(seed, n_genes=N_LISTED, n_planted=1, factor=50, n_random=needed) for seed in range(10)
    ]
    assert np.mean([run.judged().outcome == "better" for run in enough]) >= 0.9


def test_nothing_to_find_is_said_only_where_something_would_have_been_found() -> None:
    for seed in range(10):
        run = simulated(seed, n_genes=N_LISTED, n_planted=0, factor=1)
        said = run.judged()
        assert said.outcome in ("none", "better")
        if said.outcome == "none":
            times = float(re.search(r"moves cells ([\d.]+) times as far", said.sentence)[1])  # type: ignore[index]
            usual = placed(run.own, run.levels, run.random)[0].random_middle
            run.own[0] = 1.1 * times * usual
            assert run.judged().outcome == "better"


def test_one_gene_without_an_effect_is_none_only_where_an_effect_worth_having_would_have_been_found() -> None:
    """With 19 random genes and with 199; the bar that is named is the one that is found beyond."""
    for n_random in (19, 199):
        for seed in range(20):
            run = simulated(seed, n_genes=1, n_planted=0, factor=1, n_random=n_random)
            said = run.judged()
            (shift,) = placed(run.own, run.levels, run.random)
            more = RULER.moved(shift.random_high) - RULER.moved(shift.random_middle)
            if shift.p > 0.05:
                assert said.outcome == ("none" if more < 0.05 else "unknown")
                assert "would have been found" in said.sentence
                run.own[0] = 1.001 * shift.random_high
                assert run.judged().outcome == "better"
