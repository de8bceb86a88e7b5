"""The parts of edits of genes: random genes, intervals, arrows, words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Effect, Observed, Request, Ruler, Shift
from scviz.tasks.in_silico.arrows import clearly_moved, places_after
from scviz.tasks.in_silico.observed import Pair, compare, mean_shifts, names_of_perturbation
from scviz.tasks.in_silico.statistics import intervals, means_of
from scviz.tasks.in_silico.verdict import Compared, edit_in_words, of_one, of_sweep
from tests.conftest import Opened

GOAL = Filter(column="cell_type", values=("B cell",))


def test_intervals_hold_the_mean_and_shrink_with_cells() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.normal(1, 1, (1, 20)), rng.normal(1, 1, (1, 2000))
    widths = []
    for values in (few, many):
        low, high = intervals(values, seed=0)[0]
        assert low < means_of(values)[0] < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 5
    assert np.isnan(intervals(np.full((1, 5), np.nan), seed=0)).all()


def test_no_edit_gives_no_arrow_and_a_move_towards_cells_points_at_them() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.1, (40, 3)).astype(np.float32)
    vectors[20:, 0] += 5
    places = np.where(np.arange(40)[:, None] < 20, [0.0, 0.0], [10.0, 0.0]).astype(np.float32)
    own = np.arange(5)
    before, after = vectors[own], vectors[own].copy()
    after[1, 0] += 5
    after[2] = np.nan
    placed = places_after(vectors, places, own, before=before, after=after)
    np.testing.assert_allclose(placed[[0, 3]], places[[0, 3]], atol=1e-5)
    assert placed[1, 0] > 9
    assert np.isnan(placed[2]).all()


def test_arrows_below_the_noise_of_random_genes_are_hidden() -> None:
    random = np.tile(np.arange(100.0)[:, None], 4)
    random[:, 3] = np.nan
    assert clearly_moved(np.array([99.0, 50.0, np.nan, 99.0]), random).tolist() == [True, False, False, True]


def compared(
    pair: Pair,
    sides: Sequence[np.ndarray],
    predicted: np.ndarray,
    *,
    random: Sequence[np.ndarray],
    seed: int,
) -> Observed | None:
    shifts = mean_shifts(sides, predicted, random=random, seed=seed)
    return compare(pair, shifts) if shifts is not None else None


def test_that_a_simulation_agrees_no_more_than_random_genes_can_be_said() -> None:
    rng = np.random.default_rng(0)
    pair = Pair(
        column="c",
        control="ctrl",
        perturbed="A",
        control_rows=np.arange(20),
        perturbed_rows=np.arange(20, 40),
    )
    control = rng.normal(size=(20, 4)).astype(np.float32)
    moved = control + np.array([3, 0, 0, 0], dtype=np.float32)
    random = rng.normal(size=(19, 4))
    random = [rng.normal(size=(5, 4)) + rng.normal(size=4) for _ in range(39)]
    along = compared(pair, [control, moved], np.tile([1.0, 0, 0, 0], (9, 1)), random=random, seed=0)
    across = compared(pair, [control, moved], np.tile([-0.1, 1.0, 0, 0], (9, 1)), random=random, seed=0)
    few = compared(pair, [control, moved], np.tile([1.0, 0, 0, 0], (9, 1)), random=random[:18], seed=0)
    assert along is not None
    assert across is not None
    assert few is not None
    assert along.cosine == along.in_few_cells == pytest.approx(1)
    assert (along.outcome, along.rank, along.p) == ("better", 1, 1 / 40)
    assert "more than those of random genes: 1st of 40" in along.verdict
    assert across.outcome == "unknown"  # random genes agree by -0.9 to 0.9: 0.05 more than usual is not seen
    assert "not more than those of random genes" in across.verdict
    bar, usual = sorted(across.random)[-2], float(np.median(across.random))
    assert f"More than {bar:.2f} would have been found; {usual:.2f} is usual." in across.verdict
    needed = math.ceil(5 * ((bar - usual) / 0.05) ** 2)
    assert f"at least {needed:,} cells of each random gene, instead of 5" in across.verdict
    like = [np.tile([0.1 + 0.001 * i, 1.0, 0, 0], (5, 1)) for i in range(39)]
    tight = compared(pair, [control, moved], np.tile([0.1, 1.0, 0, 0], (9, 1)), random=like, seed=0)
    assert tight is not None
    assert tight.outcome == "none"
    assert "Cannot tell" not in tight.verdict
    assert few.outcome == "unknown"
    assert "it takes 19 or more" in few.verdict
    assert compared(pair, [control[:3], moved], np.ones((9, 4)), random=random, seed=0) is None


def test_a_simulation_is_compared_in_as_few_cells_as_random_genes_are_edited_in() -> None:
    rng = np.random.default_rng(0)
    rows = np.arange(20)
    pair = Pair(column="c", control="ctrl", perturbed="A", control_rows=rows, perturbed_rows=rows)
    control = rng.normal(size=(20, 30)).astype(np.float32)
    moved = control + np.eye(30, dtype=np.float32)[0]

    def shifts(n_cells: int) -> np.ndarray:
        return np.eye(30)[0] + rng.normal(scale=2, size=(n_cells, 30))  # every gene points the same way

    found = [
        compared(pair, [control, moved], shifts(200), random=[shifts(5) for _ in range(199)], seed=i)
        for i in range(20)
    ]
    assert all(one is not None and one.cosine > one.in_few_cells for one in found)
    assert sum(one is not None and one.p <= 0.05 for one in found) <= 1


def test_a_perturbation_is_known_by_its_usual_names(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    assert {"gene45", "gene45+ctrl"} <= set(names_of_perturbation(folder, ("GENE45",)))
    assert names_of_perturbation(folder, ("GENE1", "GENE2")) == ["gene1+gene2", "gene2+gene1"]


def shift(mean: float, p: float, *, n: int = 199, fdr: float | None = None) -> Shift:
    return Shift(
        mean=mean,
        low=0.1,
        high=0.3,
        random_middle=0.2,
        random_low=0.1,
        random_high=0.4,
        n_random=n,
        rank=round(p * (n + 1)),
        p=p,
        fdr=p if fdr is None else fdr,
    )


RULER = Ruler(words="the distance between B cell and T cell", distance=4.0, goal_distance=2.0)


def test_the_verdict_is_a_share_of_a_distance_and_a_place_among_random_genes() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A", "B"), goal=GOAL)
    weak = Effect(
        genes=("A", "B"),
        n_cells=9,
        expression=1.0,
        level=1.0,
        moved=shift(0.16, 0.6),
        to_goal=shift(0.2, 0.6),
    )
    strong = replace(weak, moved=shift(1.0, 0.01), to_goal=shift(0.9, 0.01))
    said = of_one(asked, weak, RULER)
    assert said.outcome == "unknown"  # only 9.2 % more than the usual 22 % would have been found
    assert "moves 9 cells by 20 % of the distance between B cell and T cell" in said.sentence
    assert "not larger than expression-matched random genes: 120th of 200" in said.sentence
    assert "no nearer to B cell" in said.sentence
    said = of_one(asked, strong, RULER)
    assert said.outcome == "better"
    assert "by 50 % of the distance" in said.sentence
    assert ", larger than expression-matched random genes: 2nd of 200" in said.sentence
    assert "nearer to B cell than random genes do: 45 % of the way to B cell" in said.sentence
    assert "changes none of the cells" in of_one(asked, replace(weak, n_cells=0), RULER).sentence
    assert edit_in_words("overexpress", tuple("ABCDEFG")) == "Turning up A, B, C, D, E and 2 more"


def alike(middle: float, high: float, *, own: float, n: int = 199) -> Effect:
    """A gene of 200 cells that moves them no farther than random genes do; shares of the distance."""
    moved = replace(
        shift(4 * own**2, 0.4, n=n),
        low=4 * (own - 0.01) ** 2,
        high=4 * (own + 0.01) ** 2,
        random_low=0.0,
        random_middle=4 * middle**2,
        random_high=4 * high**2,
    )
    return Effect(genes=("A",), n_cells=200, expression=1.0, level=1.0, moved=moved)


def test_an_edit_is_none_only_where_a_move_worth_having_would_have_been_found() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A",))
    said = of_one(asked, alike(0.20, 0.24, own=0.21), RULER)
    assert said.outcome == "none"
    assert said.sentence.endswith("80th of 200. More than 24 % would have been found; 20 % is usual.")
    for n in (19, 199):
        said = of_one(asked, alike(0.20, 0.45, own=0.21, n=n), RULER)
        assert said.outcome == "unknown"
        assert "More than 45 % would have been found; 20 % is usual." in said.sentence
        assert "at least 75 cells of each random gene, instead of 3" in said.sentence  # 3 * (25 / 5) ** 2
    said = of_one(replace(asked, random_cells=75), alike(0.20, 0.249, own=0.21), RULER)
    assert said.outcome == "none"
    said = of_one(asked, alike(0.02, 0.4, own=0.01), RULER)
    assert said.outcome == "none"
    assert "That it does 5.0 % at all is ruled out." in said.sentence


def test_a_way_to_a_goal_is_none_only_where_one_worth_having_would_have_been_found() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A",), goal=GOAL)
    goal = replace(shift(0.14, 0.4), random_middle=0.1, random_low=0.02, random_high=0.18, low=0.1, high=0.2)
    said = of_one(asked, replace(alike(0.2, 0.5, own=0.2), to_goal=goal), RULER)
    assert said.outcome == "none"
    assert "4.0 % of the way more or less than the usual 5.0 % would have been found." in said.sentence
    wide = replace(goal, random_low=-0.3, random_high=0.5)
    said = of_one(asked, replace(alike(0.2, 0.24, own=0.2), to_goal=wide), RULER)
    assert said.outcome == "unknown"
    assert "20 % of the way more or less" in said.sentence
    assert "at least 48 cells of each random gene" in said.sentence


def test_what_too_few_random_genes_or_cells_cannot_tell_is_unknown() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A",))
    effect = Effect(genes=("A",), n_cells=9, expression=1.0, level=1.0, moved=shift(0.2, 1 / 19, n=18))
    said = of_one(asked, effect, RULER)
    assert said.outcome == "unknown"
    assert "there are 18 expression-matched random genes, and it takes 19 or more" in said.sentence
    said = of_one(asked, replace(effect, n_cells=4, moved=shift(0.2, 0.01)), RULER)
    assert said.outcome == "unknown"
    assert "it takes 5 or more" in said.sentence


def test_a_sweep_says_none_only_where_a_gene_could_have_been_found() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A", "B"), together=False)
    weak = Effect(genes=("A",), n_cells=9, expression=1.0, level=1.0, moved=shift(0.2, 0.6))
    compared = Compared(null="shared", n_tests=50, n_random=999, n_drawable=2000, alone=7.0)
    said = of_sweep(asked, [weak], ruler=RULER, compared=compared)
    assert said.outcome == "none"
    assert "None moves cells otherwise than 999 expression-matched random genes" in said.sentence
    assert "7 times as far as usual would have been found" in said.sentence
    said = of_sweep(asked, [weak], ruler=RULER, compared=replace(compared, n_random=199))
    assert said.outcome == "unknown"
    assert "it would take 999 random genes for one gene of 50" in said.sentence
    said = of_sweep(asked, [weak], ruler=RULER, compared=replace(compared, n_random=199, n_drawable=300))
    assert "there are 300 in these cells; edit fewer genes" in said.sentence
    strong = replace(weak, genes=("B",), moved=shift(0.9, 0.001, fdr=0.04))
    said = of_sweep(asked, [strong, weak], ruler=RULER, compared=compared)
    assert said.outcome == "better"
    assert "1 moves cells otherwise" in of_sweep(asked, [strong], ruler=RULER, compared=compared).sentence
