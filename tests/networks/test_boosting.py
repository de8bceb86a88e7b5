"""Links from regulators to targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from scviz.errors import JobCancelledError
from scviz.networks import boosting
from scviz.networks.boosting import boosted_network, correlations, edges_of, fitted_chunks, grnboost
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
    fit = grnboost(rng.normal(size=(100, 3)), rng.normal(size=100), seed=0)
    assert boosting.WINDOW <= fit.n_trees < 100


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
