"""Links from regulators to targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from scviz.errors import JobCancelledError
from scviz.networks import binned_trees, boosting
from scviz.networks.binned_trees import binned, boosted
from scviz.networks.boosting import (
    boosted_network,
    correlations,
    edges_of,
    fitted_chunks,
    grnboost,
    published_grnboost,
)
from scviz.progress import Progress
from scviz.workspace.chunks import Chunks


def planted() -> np.ndarray:
    """200 cells x 6 genes: gene 3 follows gene 0, gene 4 follows gene 1, gene 5 nothing."""
    rng = np.random.default_rng(0)
    expression = rng.gamma(2.0, 1.0, (200, 6))
    expression[:, 3] = expression[:, 0] + 0.1 * rng.normal(size=200)
    expression[:, 4] = 5 - expression[:, 1] + 0.1 * rng.normal(size=200)
    return expression


def test_planted_links_are_the_strongest() -> None:
    found = boosted_network(planted(), [0, 1, 2], range(6), seed=0)
    assert found.importance[:, 3].argmax() == 0
    assert found.importance[:, 4].argmax() == 1
    assert found.n_trees.min() >= boosting.WINDOW
    assert np.diag(found.importance).tolist() == [0, 0, 0]
    np.testing.assert_allclose(found.importance[:, 3].sum(), found.n_trees[3], rtol=1e-9)


def test_sparse_cells_give_the_same_links() -> None:
    expression = np.where(planted() > 1.5, planted(), 0)
    dense = boosted_network(expression, [0, 1], [2, 3], seed=1)
    sparse = boosted_network(sp.csr_matrix(expression), [0, 1], [2, 3], seed=1)
    np.testing.assert_array_equal(dense.importance, sparse.importance)


def test_links_do_not_depend_on_which_other_targets_are_fitted() -> None:
    whole = boosted_network(planted(), [0, 1, 2], range(6), seed=3)
    part = boosted_network(planted(), [0, 1, 2], [4], seed=3)
    np.testing.assert_array_equal(whole.importance[:, [4]], part.importance)


def test_a_target_without_other_regulators_has_no_links() -> None:
    assert boosted_network(planted(), [0], [0], seed=0).importance.tolist() == [[0.0]]


def test_a_search_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "CHUNK", 2)
    whole = boosted_network(planted(), [0, 1, 2], range(6), seed=0)

    def stop(progress: Progress) -> None:
        if progress.done == 4:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        boosted_network(planted(), [0, 1, 2], range(6), seed=0, chunks=Chunks(tmp_path), report=stop)
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["00000.npy", "00001.npy"]
    written = [path.stat().st_mtime_ns for path in kept]
    again = boosted_network(planted(), [0, 1, 2], range(6), seed=0, chunks=Chunks(tmp_path))
    assert [path.stat().st_mtime_ns for path in kept] == written
    np.testing.assert_array_equal(again.importance, whole.importance)
    np.testing.assert_array_equal(again.n_trees, whole.n_trees)


def test_two_processes_fit_each_target_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "CHUNK", 2)
    whole = boosted_network(planted(), [0, 1, 2], range(6), seed=0)
    owner, helper = Chunks(tmp_path), Chunks(tmp_path)
    first = next(owner.all_of(3))  # claimed, and being fitted
    helped = [
        number
        for number, _ in fitted_chunks(
            planted(), [0, 1, 2], range(6), numbers=helper.unclaimed_of, seed=0, chunks=helper
        )
    ]
    assert (first, helped) == (0, [1, 2])
    owner.give_back()
    again = boosted_network(planted(), [0, 1, 2], range(6), seed=0, chunks=owner)
    np.testing.assert_array_equal(again.importance, whole.importance)


def test_trees_stop_when_they_explain_nothing_new() -> None:
    rng = np.random.default_rng(0)
    known, target = rng.normal(size=(100, 3)), rng.normal(size=100)
    assert boosting.WINDOW <= grnboost(binned(known), target, seed=0).n_trees < 100
    assert boosting.WINDOW <= published_grnboost(known, target, seed=0).n_trees < 100


def test_correlations_are_those_of_numpy_and_nan_for_a_constant_gene() -> None:
    expression = np.column_stack([planted(), np.ones(200)])
    ours = correlations(sp.csr_matrix(expression), [0, 1, 6], range(7))
    np.testing.assert_allclose(ours[:2, :6], np.corrcoef(planted().T)[:2], atol=1e-12)
    assert np.isnan(ours[2]).all()
    assert np.isnan(ours[:, 6]).all()


def test_links_are_sorted_and_none_leads_to_itself() -> None:
    edges = edges_of(np.array([[9.0, 1.0, np.nan], [3.0, 9.0, 0.0]]), ["A", "B"], ["A", "B", "C"])
    assert (edges.sources, edges.targets) == (("B", "A"), ("A", "B"))
    assert edges.weights.tolist() == [3.0, 1.0]
    assert len(edges_of(np.ones((2, 3)), ["A", "B"], ["A", "B", "C"], most=2).sources) == 2


def test_few_values_have_a_bin_each_and_many_share_them_by_quantiles() -> None:
    rng = np.random.default_rng(0)
    few = np.array([[0.0, 3.0], [2.0, 1.0], [0.0, 2.0]])
    assert binned(few).codes.tolist() == [[0, 1, 0], [2, 0, 1]]
    many = np.where(rng.random((1000, 1)) < 0.6, 0, rng.gamma(2.0, size=(1000, 1)))
    found = binned(many, n_bins=16)
    sizes = np.bincount(found.codes[0])
    assert found.n_bins.tolist() == [16]
    assert sizes[0] == (many == 0).sum()
    assert sizes[1:].max() - sizes[1:].min() <= 2
    order = np.argsort(many[:, 0], kind="stable")
    assert (np.diff(found.codes[0][order].astype(int)) >= 0).all()


def test_the_first_tree_is_the_best_of_all_splits() -> None:
    """One tree that sees every cell and regulator, beside scikit-learn's with the same rules."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(1)
    known = rng.integers(0, 6, (300, 4)).astype(np.float32)  # few values: no bin holds two
    target = known[:, 0] * (known[:, 1] > 2) + 0.3 * rng.normal(size=300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binned_trees, "SHARE_TRIED", 1.0)
        patch.setattr(
            binned_trees, "_split", binned_trees._split.py_func
        )  # what is compiled keeps its constants
        cells = binned_trees._cells.py_func(target - target.mean(), np.arange(300, dtype=np.uint32))
        tree = binned_trees._tree.py_func(binned(known), np.arange(4), cells)
    theirs = DecisionTreeRegressor(max_depth=3, criterion="squared_error").fit(known, target)
    ours = binned_trees._credit.py_func(tree, 4, 300)
    np.testing.assert_allclose(ours / ours.sum(), theirs.feature_importances_, rtol=1e-6)
    moved = np.zeros(300)
    binned_trees._move.py_func(moved, binned(known).codes, tree)
    np.testing.assert_allclose(moved / binned_trees.RATE + target.mean(), theirs.predict(known), rtol=1e-6)


def test_binned_trees_rank_regulators_as_the_published_ones_do() -> None:
    rng = np.random.default_rng(2)
    known = np.log1p(rng.poisson(rng.gamma(2.0, 1.0, (400, 30))))
    target = known[:, 3] + 0.7 * known[:, 7] + 0.4 * known[:, 11] + 0.5 * rng.normal(size=400)
    ours, theirs = grnboost(binned(known), target, seed=0), published_grnboost(known, target, seed=0)
    assert np.argsort(-ours.importance)[:3].tolist() == np.argsort(-theirs.importance)[:3].tolist()
    assert np.corrcoef(ours.importance, theirs.importance)[0, 1] > 0.97
    assert 0.7 < ours.n_trees / theirs.n_trees < 1.4


def test_a_target_is_not_its_own_regulator_and_seeds_differ() -> None:
    known, target = binned(planted()), planted()[:, 1]
    found = boosted(known, target, left_out=1, seed=0, most_rounds=200, window=25)
    other = boosted(known, target, left_out=1, seed=1, most_rounds=200, window=25)
    again = boosted(known, target, left_out=1, seed=0, most_rounds=200, window=25)
    assert found[0][1] == 0
    assert found[0].argmax() == 4
    np.testing.assert_array_equal(found[0], again[0])
    assert not np.array_equal(found[0], other[0])


def test_constant_regulators_or_targets_explain_nothing() -> None:
    constant = binned(np.ones((50, 3)))
    assert grnboost(constant, np.arange(50.0), seed=0).importance.tolist() == [0, 0, 0]
    assert grnboost(binned(planted()), np.ones(200), seed=0).importance.tolist() == [0] * 6
