"""Activity of gene sets in cells, and specificity in types."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, fdr
from scviz.networks import activity
from scviz.networks.activity import (
    aucell,
    specificity,
    specificity_p,
    threshold,
)
from scviz.networks.contract import GeneSet
from tests.goldens.published_aucell import published_aucell, ranks

GENES = tuple(f"G{i}" for i in range(20))
TOP = GeneSet(name="top", genes=GENES[:3])
LOW = GeneSet(name="low", genes=GENES[10:13])


def falling() -> np.ndarray:
    """Two cells in which the first gene is highest, then the second."""
    return np.tile(np.arange(20, 0, -1.0), (2, 1))


def test_the_best_that_a_set_can_reach_is_1_on_one_scale_and_less_on_that_of_pyscenic() -> None:
    best = aucell(falling(), GENES, [TOP, LOW], n_top=5, fewest_genes=3)
    assert best.auc.tolist() == [[1.0, 0.0]] * 2
    # cut at rank round(0.25 * 20) - 1 = 4: (4 + 3 + 2) of (4 + 1) * 3
    published = published_aucell(ranks(falling(), seed=0), GENES, [TOP, LOW], share=0.25)
    np.testing.assert_allclose(published.auc, [[0.6, 0.0]] * 2)


def test_sets_of_which_too_little_is_measured_have_no_activity() -> None:
    missing = GeneSet(name="missing", genes=(*GENES[:3], "X"))
    assert (
        published_aucell(ranks(falling(), seed=0), GENES, [missing], share=0.25).auc.tolist() == [[0.0]] * 2
    )
    found = aucell(falling(), GENES, [missing, TOP], n_top=5, fewest_genes=4)
    assert found.names == ()
    assert aucell(falling(), GENES, [missing], n_top=5, fewest_genes=3).n_present == (3,)


def test_weights_shift_activity_to_heavy_genes() -> None:
    heavy = GeneSet(name="a", genes=("G0", "G19"), weights=(3.0, 1.0))
    cells = ranks(falling(), seed=0)
    assert published_aucell(cells, GENES, [heavy], share=0.25).auc[0, 0] == pytest.approx(0.4)
    assert published_aucell(cells, GENES, [heavy], share=0.25, weighted=True).auc[0, 0] == pytest.approx(0.6)


def test_a_set_that_is_active_nowhere_cannot_be_divided_by_its_largest_value() -> None:
    found = published_aucell(ranks(falling(), seed=0), GENES, [TOP, LOW], share=0.25, normalized=True)
    np.testing.assert_array_equal(found.auc, [[1.0, np.nan]] * 2)


def test_a_seed_decides_between_equal_genes_and_nothing_else() -> None:
    cells = np.array([[1.0, 0.0, 0.0, 0.0, 2.0, np.nan]])
    found = np.stack([ranks(cells, seed=seed)[0] for seed in range(20)])
    assert (found[:, [4, 0, 5]] == [0, 1, 5]).all()
    assert len(np.unique(found[:, 1])) == 3


def test_sparse_cells_and_pieces_give_the_same_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    cells = rng.poisson(0.5, (30, 20)).astype(np.float32)
    whole = aucell(cells, GENES, [TOP, LOW], n_top=5, fewest_genes=3)
    monkeypatch.setattr(activity, "BLOCK", 7)
    pieces = aucell(sp.csr_matrix(cells), GENES, [TOP, LOW], n_top=5, fewest_genes=3)
    np.testing.assert_array_equal(whole.auc, pieces.auc)


def test_specificity_has_its_ends() -> None:
    auc = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    found = specificity(auc, np.array([0, 0, 1, 1]), 3)
    lowest = 1 - np.sqrt(np.log(2))
    np.testing.assert_allclose(found[:2, :2], [[1, lowest], [lowest, 1]])
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()


def test_shuffled_types_are_less_specific_than_planted_ones() -> None:
    rng = np.random.default_rng(0)
    types = np.repeat([0, 1], 50)
    auc = np.column_stack([rng.random(100) + 2 * (types == 0), rng.random(100)])
    p = specificity_p(auc, types, 2, seed=0)
    assert p[0, 0] == 1 / 200
    assert p[1, 0] > 0.5


def test_a_shuffle_is_as_specific_as_the_divergence_of_its_cells_says() -> None:
    """The sum over the cells of a type is the Jensen-Shannon divergence of scipy."""
    from scipy.spatial.distance import jensenshannon

    rng = np.random.default_rng(0)
    auc, types = rng.gamma(0.5, size=(60, 3)), rng.integers(-1, 3, 60)
    found = specificity(auc, types, 3)
    for code in range(3):
        q = (types == code) / (types == code).sum()
        expected = [1 - jensenshannon(column / column.sum(), q) for column in auc.T]
        np.testing.assert_allclose(found[code], expected)


def test_types_that_mean_nothing_are_seldom_called_specific() -> None:
    """With no difference between types, false discoveries in at most the stated share of 200 datasets."""
    any_found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        auc = rng.gamma(0.5, size=(60, 4)) + 0.3 * rng.gamma(0.5, size=(60, 1))
        p = specificity_p(auc, rng.integers(0, 3, 60), 3, seed=seed)
        any_found += bool((fdr(p.ravel()) <= LEVEL).any())
    assert any_found <= binom.ppf(0.999, 200, LEVEL)


def test_a_set_of_one_type_is_found_among_many() -> None:
    # 1.8 times as active is found in one of three: the rate is over all 12 pairs of a type and a set, where the 95 %
    # band of each pair, which stood here before, called one of 20 pairs with nothing to find
    found = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        types = np.repeat([0, 1, 2], 20)
        auc = rng.gamma(2.0, size=(60, 4))
        auc[types == 1, 2] *= 2.5
        rates = fdr(specificity_p(auc, types, 3, seed=seed).ravel()).reshape(3, 4)
        found += bool(rates[1, 2] <= LEVEL)
    assert found >= 25  # power above 80 % where a set is 2.5 times as active in 20 of 60 cells


def test_a_threshold_lies_between_two_groups_and_beyond_one() -> None:
    rng = np.random.default_rng(0)
    two = np.r_[rng.normal(0.1, 0.02, 200), rng.normal(0.5, 0.03, 100)]
    assert 0.15 < threshold(two, seed=0) < 0.45
    one = rng.normal(0.3, 0.02, 300)
    assert threshold(one, seed=0) == pytest.approx(one.mean() + 2 * one.std())
    assert threshold(np.full(9, 0.2), seed=0) == pytest.approx(0.2)
