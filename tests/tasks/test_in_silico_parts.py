"""The parts of edits of genes: random genes, intervals, arrows, words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Effect, Request, Shift
from scviz.tasks.in_silico.arrows import clearly_moved, places_after
from scviz.tasks.in_silico.null import Expressed, random_genes, random_sets
from scviz.tasks.in_silico.observed import Pair, compare, names_of_perturbation
from scviz.tasks.in_silico.statistics import as_far, intervals, means_of, shifts
from scviz.tasks.in_silico.verdict import edit_in_words, of_one, of_sweep
from tests.conftest import Opened

GOAL = Filter(column="cell_type", values=("B cell",))


EXPRESSED = Expressed(
    mean=np.arange(100.0), detected=np.repeat(np.arange(10) / 10, 10), drawable=np.arange(100)
)


def test_random_genes_are_of_the_same_deciles() -> None:
    drawn = random_genes(EXPRESSED, 37, 9, without=np.array([37]), seed=0)
    assert set(drawn) == set(range(30, 40)) - {37}
    assert len(random_genes(EXPRESSED, 37, None, without=np.array([31]), seed=0)) == 8


def test_where_deciles_hold_too_few_the_nearest_genes_come_next() -> None:
    drawn = random_genes(EXPRESSED, 37, 12, without=np.array([37]), seed=0)
    assert set(drawn[:9]) == set(range(30, 40)) - {37}
    assert set(drawn[9:]) <= set(range(20, 50))


def test_random_sets_match_each_member_and_are_different() -> None:
    sets = random_sets(EXPRESSED, np.array([5, 95]), 20, seed=0)
    assert len({frozenset(genes) for genes in sets}) == len(sets) == 20
    for low, high in sets:
        assert low < 30 < 70 < high
        assert not {low, high} & {5, 95}


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


def test_p_counts_random_genes_that_move_as_far() -> None:
    others = np.arange(19.0)
    assert as_far(100.0, others, both_sides=False) == 1 / 20
    assert as_far(-100.0, others, both_sides=False) == 1
    assert as_far(-100.0, others, both_sides=True) == 1 / 20
    assert np.isnan(as_far(float("nan"), others, both_sides=False))


def test_false_discovery_rates_are_over_all_edits() -> None:
    values = np.array([[5.0, 5.0], [0.5, 0.5], [np.nan, np.nan]])
    found = shifts(values, [np.arange(19.0) / 19] * 3, seed=0)
    assert found[0].p == 1 / 20
    assert found[0].fdr == 2 / 20
    assert np.isnan(found[2].fdr)


def test_no_edit_gives_no_arrow_and_a_move_towards_cells_points_at_them() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.1, (40, 3)).astype(np.float32)
    vectors[20:, 0] += 5
    places = np.where(np.arange(40)[:, None] < 20, [0.0, 0.0], [10.0, 0.0]).astype(np.float32)
    own = np.arange(5)
    before, after = vectors[own], vectors[own].copy()
    after[1, 0] += 5
    after[2] = np.nan
    placed = places_after(vectors, places, own, before, after)
    np.testing.assert_allclose(placed[[0, 3]], places[[0, 3]], atol=1e-5)
    assert placed[1, 0] > 9
    assert np.isnan(placed[2]).all()


def test_arrows_below_the_noise_of_random_genes_are_hidden() -> None:
    random = np.tile(np.arange(100.0)[:, None], 4)
    random[:, 3] = np.nan
    assert clearly_moved(np.array([99.0, 50.0, np.nan, 99.0]), random).tolist() == [True, False, False, True]


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
    along = compare(pair, control, moved, np.array([1.0, 0, 0, 0]), random)
    across = compare(pair, control, moved, np.array([-0.1, 1.0, 0, 0]), random)
    assert along is not None
    assert across is not None
    assert along.cosine == pytest.approx(1)
    assert "points towards the observed one" in along.verdict
    assert "agree no more than those of random genes" in across.verdict
    assert compare(pair, control[:3], moved, np.ones(4), random) is None


def test_a_perturbation_is_known_by_its_usual_names(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    assert {"gene45", "gene45+ctrl"} <= set(names_of_perturbation(folder, ("GENE45",)))
    assert names_of_perturbation(folder, ("GENE1", "GENE2")) == ["gene1+gene2", "gene2+gene1"]


def shift(mean: float, p: float) -> Shift:
    return Shift(mean=mean, low=0.1, high=0.3, random_low=0.1, random_high=0.4, n_random=20, p=p, fdr=p)


def test_the_verdict_is_against_random_genes() -> None:
    asked = Request(dataset="d", checkpoint="c", genes=("A", "B"), goal=GOAL)
    weak = Effect(genes=("A", "B"), n_cells=9, expression=1.0, moved=shift(0.2, 0.6), to_goal=shift(0.2, 0.6))
    strong = replace(weak, moved=shift(0.9, 0.04), to_goal=shift(0.9, 0.04))
    assert "no farther than random genes" in of_one(asked, weak)
    assert "no nearer to B cell" in of_one(asked, weak)
    assert ", farther than random genes" in of_one(asked, strong)
    assert "nearer to B cell than" in of_one(asked, strong)
    assert "changes none of the cells" in of_one(asked, replace(weak, n_cells=0))
    assert "None moves cells towards B cell" in of_sweep(asked, [weak])
    assert "1 move cells towards B cell" in of_sweep(asked, [strong, weak])
    assert edit_in_words("overexpress", tuple("ABCDEFG")) == "Turning up A, B, C, D, E and 2 more"
