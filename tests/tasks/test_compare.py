"""The same cells with several models, beside principal components."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.errors import GeneMatchError, JobCancelledError, MissingColumnError, RequestError
from scviz.progress import Progress
from scviz.tasks.compare import PCA, Request, Result, with_random_weights
from scviz.tasks.compare.judging import Embedded, Groups, score_cells, scores_of
from scviz.tasks.compare.run import compare_neighbors, price, run
from scviz.workspace.records import read_record, write_record
from scviz.workspace.store import write_checkpoint_info
from tests.conftest import Opened, keep_stranger

SECOND = "geneformer/second"


@pytest.fixture
def two(opened: Opened, adata: anndata.AnnData) -> Opened:
    """A second model beside the first, which knows the first 40 genes only: the markers of B and NK cells."""
    import torch

    from scviz.models.geneformer.model import Geneformer

    torch.manual_seed(1)
    model = Geneformer.untrained(adata[:, :40].copy(), "tiny")
    folder = opened.workspace.home / "checkpoints" / "geneformer" / "second"
    model.save(folder)
    first = opened.workspace.checkpoint(opened.checkpoint)
    write_checkpoint_info(replace(first, id=SECOND, name="Second"), folder)
    return opened


def request(opened: Opened, **more: object) -> Request:
    asked = {"checkpoints": (opened.checkpoint, SECOND), "label_key": "cell_type", "n_neighbors": 8}
    return Request(dataset=opened.dataset, **(asked | more))


@pytest.mark.slow
def test_every_method_has_map_neighbors_and_scores_and_the_baseline_is_one_of_them(
    two: Opened, tmp_path: Path
) -> None:
    result = run(request(two, batch_key="donor"), two.context())
    assert result.methods == (two.checkpoint, SECOND, PCA)
    untrained = {with_random_weights(two.checkpoint), with_random_weights(SECOND)}
    assert set(result.umap) == set(result.methods)
    assert set(result.neighbors) == set(result.scores) == set(result.methods) | untrained
    assert [one.method for one in result.over_random] == [two.checkpoint, SECOND]
    for one in result.over_random:  # compared with the network itself, before any training
        untrained_score = result.scores[with_random_weights(one.method)].agreement
        assert one.gain.baseline_score == untrained_score
        assert one.gain.difference.mean == pytest.approx(
            result.scores[one.method].agreement - untrained_score
        )
    assert all(layout.shape == (60, 2) and np.isfinite(layout).all() for layout in result.umap.values())
    assert all(found.shape == (60, 8) for found in result.neighbors.values())
    assert result.n_cells == 60
    baseline = result.scores[PCA]
    assert baseline.agreement > 0.95
    assert baseline.ari > 0.9
    assert baseline.nmi > 0.9
    assert 0.7 < baseline.mixing < 1.3
    assert baseline.silhouette_batch < 0.1 < baseline.silhouette_label
    assert result.overlap.shape == (3, 3)
    assert 0 < result.random_overlap < result.overlap[0, 1] < 1
    off_diagonal = result.overlap[np.triu_indices(3, 1)]
    assert result.disagreement.mean() == pytest.approx(1 - off_diagonal.mean(), abs=1e-5)
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert kept.scores == result.scores
    assert np.array_equal(kept.umap[SECOND], result.umap[SECOND])


@pytest.mark.slow
def test_a_stopped_run_does_not_read_the_cells_again(two: Opened) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "Reading cells with Second":
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(request(two), two.context(report=stop))
    assert [path.name for path in (two.context().state / "0").iterdir()] == ["00000.npy"]
    seen: list[Progress] = []
    result = run(request(two), two.context(report=seen.append))
    assert [p.done for p in seen if p.stage == "Reading cells with Tiny"] == [
        60
    ]  # one report: they were read
    assert np.isnan(result.scores[PCA].mixing)  # no column of batches was named


@pytest.mark.slow
def test_networks_with_random_weights_are_left_out_where_they_are_not_wanted(opened: Opened) -> None:
    asked = Request(
        dataset=opened.dataset, checkpoints=(opened.checkpoint,), label_key="cell_type", random_weights=False
    )
    result = run(asked, opened.context())
    assert set(result.scores) == {opened.checkpoint, PCA}
    assert not result.over_random
    assert "random weights" not in result.verdict


@pytest.mark.slow
def test_weights_that_know_no_gene_are_refused_by_name(opened: Opened) -> None:
    asked = Request(dataset=opened.dataset, checkpoints=(keep_stranger(opened),))
    with pytest.raises(GeneMatchError, match="knows no gene") as refusal:
        run(asked, opened.context())
    assert "Leave it out" in refusal.value.hint


@pytest.mark.slow
def test_a_price_counts_every_model(two: Opened) -> None:
    cost = price(request(two), two.context())
    assert cost.seconds > 10
    assert "2 models" in cost.how


def test_a_column_of_numbers_names_no_groups(two: Opened) -> None:
    with pytest.raises(RequestError, match="does not name groups"):
        run(request(two, label_key="percent_mt"), two.context())
    with pytest.raises(MissingColumnError):
        run(request(two, label_key="no such"), two.context())


def test_cells_on_which_one_method_differs_are_found_and_unseen_ones_are_unknown() -> None:
    ring = np.array([[(i + 1) % 6, (i + 2) % 6] for i in range(6)], dtype=np.int32)
    other, blind = ring.copy(), ring.copy()
    other[2] = [5, 0]
    blind[4] = -1
    overlap, disagreement = compare_neighbors({"a": ring, "b": other, "c": blind})
    np.testing.assert_allclose(disagreement[[0, 1, 3, 5]], 0)
    assert disagreement[2] == pytest.approx(2 / 3)  # two of three pairs share nothing
    assert np.isnan(disagreement[4])
    np.testing.assert_allclose(overlap, [[1, 5 / 6, 1], [5 / 6, 1, 4 / 5], [1, 4 / 5, 1]])


def test_scores_leave_cells_without_type_and_vector_out() -> None:
    vectors = np.array([[0.0], [0.1], [9.0], [9.1], [np.nan]], dtype=np.float32)
    neighbors = np.array([[1], [0], [3], [2], [-1]], dtype=np.int32)
    method = Embedded(vectors=vectors, neighbors=neighbors)
    groups = Groups(types=np.array([0, 0, 1, 1, -1]), batches=np.full(5, -1))
    found = scores_of(score_cells(method, groups, seed=0), method, groups)
    assert (found.agreement, found.ari) == (1, 1)
    assert found.silhouette_label == pytest.approx(1, abs=0.02)
    assert np.isnan([found.mixing, found.silhouette_batch]).all()


@pytest.mark.parametrize(
    ("asked", "words", "hint"),
    [
        ({"checkpoints": ()}, r"must be 1 to 4 \(got 0\)", "Choose"),
        ({"checkpoints": tuple("abcde")}, r"must be 1 to 4 \(got 5\)", "Choose"),
        ({"checkpoints": ("a", "a")}, "named twice", "once"),
        ({"label_key": "x", "batch_key": "x"}, "types and batches at once", "another column"),
        ({"n_neighbors": 1}, r"Neighbors must be 2 to 200 \(got 1\)", "Choose"),
        ({"min_dist": 2.0}, r"Spacing must be 0 to 1 \(got 2\)", "Choose"),
    ],
)
def test_what_cannot_be_compared_is_refused(asked: dict[str, object], words: str, hint: str) -> None:
    with pytest.raises(RequestError, match=words) as refusal:
        Request(**({"dataset": "d", "checkpoints": ("a",)} | asked))
    assert hint in refusal.value.hint
