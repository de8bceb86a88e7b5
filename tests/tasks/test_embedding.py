"""The map of cells as a run."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData

from scviz.errors import JobCancelledError, RequestError
from scviz.foundation import batching
from scviz.metrics.neighbors import neighbor_agreement
from scviz.progress import Progress
from scviz.tasks.embedding import Request
from scviz.tasks.embedding.run import nearest, price, run
from tests.conftest import Opened

pytestmark = pytest.mark.slow


def request(opened: Opened, **more: object) -> Request:
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8, **more)


def detected(adata: AnnData) -> int:
    """Genes that any cell has; a model made of these cells knows just these."""
    return int((adata.X.sum(axis=0) > 0).sum())


def test_both_maps_hold_every_cell_and_keep_planted_types_together(opened: Opened, adata: AnnData) -> None:
    result = run(request(opened), opened.context())
    assert result.embedding.shape == (60, 32)
    assert result.umap.shape == result.baseline_umap.shape == (60, 2)
    assert np.isfinite(result.umap).all()
    assert result.neighbors.shape == result.baseline_neighbors.shape == (60, 8)
    assert result.n_unseen == 0
    assert result.n_genes_seen == detected(adata)
    types = adata.obs["cell_type"].cat.codes.to_numpy().astype(np.int64)
    assert neighbor_agreement(result.baseline_neighbors, types) > 0.95


def test_the_same_seed_gives_the_same_map(opened: Opened) -> None:
    first = run(request(opened), opened.context("one"))
    again = run(request(opened), opened.context("two"))
    assert np.array_equal(first.umap, again.umap)
    assert np.array_equal(first.embedding, again.embedding)


def test_a_stopped_run_goes_on_from_its_finished_chunks(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "CELLS_PER_CHUNK", 20)
    whole = run(request(opened), opened.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.done >= 40:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(request(opened), opened.context("parts", stop))
    kept = sorted(path.name for path in opened.context("parts").state.iterdir())
    assert kept == ["00000.npy"]
    seen: list[Progress] = []
    result = run(request(opened), opened.context("parts", seen.append))
    assert next(p.done for p in seen if p.stage == "Reading cells") == 20
    np.testing.assert_array_equal(result.embedding, whole.embedding)


def test_the_nearest_of_a_cell_is_itself_even_beside_twins() -> None:
    points = np.array([[0.0], [0.0], [0.0], [5.0]], dtype=np.float32)
    found, distances = nearest(points, 3, seed=0)
    assert found[:, 0].tolist() == [0, 1, 2, 3]
    assert distances[:3].max() == 0
    assert all(len(set(row)) == 3 for row in found.tolist())


def test_a_price_is_named_before_the_run(opened: Opened) -> None:
    cost = price(request(opened), opened.context())
    assert cost.seconds > 0
    assert 0.05 < cost.gigabytes < 64
    assert "60 cells" in cost.how


def test_too_few_neighbors_are_refused(opened: Opened) -> None:
    with pytest.raises(RequestError, match="1 neighbors make no map") as refusal:
        Request(dataset="d", checkpoint="c", n_neighbors=1)
    assert refusal.value.hint == "Choose between 2 and 200 neighbors."
