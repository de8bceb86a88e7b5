"""The map of cells as a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from anndata import AnnData

from scviz.datasets.expression import depth_of, log_expression, variable_genes
from scviz.datasets.neighbors import nearest
from scviz.errors import JobCancelledError, RequestError, UnsupportedTaskError
from scviz.foundation import batching
from scviz.jobs.engine import importable
from scviz.metrics.neighbors import neighbor_agreement
from scviz.models import model_class
from scviz.progress import Progress
from scviz.tasks.embedding import Request
from scviz.tasks.embedding.run import help_out, price, run
from scviz.workspace import chunks
from scviz.workspace.chunks import Chunks
from scviz.workspace.records import to_json, write_record
from tests.conftest import Opened, keep_model

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
    state = opened.context("parts").state
    assert [path.name for path in state.iterdir()] == ["00000.npy"]
    (state / "00001.claim").touch()  # as one that is killed leaves it
    seen: list[Progress] = []
    result = run(request(opened), opened.context("parts", seen.append))
    assert next(p.done for p in seen if p.stage == "Reading cells") == 20
    np.testing.assert_array_equal(result.embedding, whole.embedding)
    assert [path.name for path in sorted(state.iterdir())] == ["00000.npy", "00001.npy", "00002.npy"]


HELPER = """
import sys
from pathlib import Path
from scviz.foundation import batching
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.embedding.run import Request, help_out
from scviz.workspace import Workspace

home, run, dataset, checkpoint = sys.argv[1:]
batching.CELLS_PER_CHUNK = 10
workspace = Workspace(Path(home))
context = Context(workspace=workspace, report=silent, folder=workspace.run_folder(run))
help_out(Request(dataset=dataset, checkpoint=checkpoint), context)
"""


def test_two_processes_share_the_chunks_of_a_run(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "CELLS_PER_CHUNK", 10)
    home, state = str(opened.workspace.home), opened.context().state
    helped: list[str] = []
    seen: list[int] = []

    def report(progress: Progress) -> None:
        if not helped:  # while the first chunk is computed here
            call = [sys.executable, "-c", HELPER, home, "one", opened.dataset, opened.checkpoint]
            subprocess.run(call, env=importable(dict(os.environ)), check=True)
            helped.extend(path.name for path in sorted(state.iterdir()))
        if progress.stage == "Reading cells":
            seen.append(progress.done)

    result = run(request(opened), opened.context(report=report))
    assert helped == ["00000.claim", *(f"0000{number}.npy" for number in range(1, 6))]
    assert seen == [10, 20, 30, 40, 50, 60]
    context = opened.context()
    alone = context.model(opened.checkpoint, "embedding").embed(context.counts(opened.dataset))
    np.testing.assert_allclose(result.embedding, alone, atol=1e-6)


def test_a_chunk_of_a_process_that_has_died_is_taken_over(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "CELLS_PER_CHUNK", 20)
    monkeypatch.setattr(chunks, "STALE_SECONDS", 2.0)
    monkeypatch.setattr(chunks, "LOOK_SECONDS", 0.05)
    seen: list[int] = []

    def report(progress: Progress) -> None:
        if not seen:
            (opened.context().state / "00001.claim").touch()
        if progress.stage == "Reading cells":
            seen.append(progress.done)

    result = run(request(opened), opened.context(report=report))
    assert seen[:2] == [20, 40]
    assert set(seen[2:-1]) == {40}  # it waits
    assert seen[-1] == 60
    assert np.isfinite(result.embedding).all()


def test_a_run_that_waits_for_others_can_be_stopped(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "CELLS_PER_CHUNK", 20)
    monkeypatch.setattr(chunks, "LOOK_SECONDS", 0.05)
    seen: list[int] = []

    def report(progress: Progress) -> None:
        (opened.context().state / "00002.claim").touch()
        if seen.count(40) == 2:
            raise JobCancelledError("stopped")
        seen.append(progress.done)

    with pytest.raises(JobCancelledError):
        run(request(opened), opened.context(report=report))
    assert seen == [20, 40, 40]


def test_no_chunk_is_computed_twice_while_its_owner_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "STALE_SECONDS", 1.0)
    monkeypatch.setattr(chunks, "LOOK_SECONDS", 0.25)
    owner, other = Chunks(tmp_path), Chunks(tmp_path)
    assert next(owner.unclaimed_of(1)) == 0
    assert list(other.unclaimed_of(1)) == []
    numbers = other.all_of(1)
    for _ in range(8):
        assert next(numbers) is None
        owner.keep_claim()
    owner.write(0, np.ones((2, 3), dtype=np.float32))
    assert next(numbers) == 0
    assert other.read(0).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_the_nearest_of_a_cell_is_itself_even_beside_twins() -> None:
    points = np.array([[0.0], [0.0], [0.0], [5.0]], dtype=np.float32)
    found, distances = nearest(points, 3, seed=0)
    assert found[:, 0].tolist() == [0, 1, 2, 3]
    assert distances[:3].max() == 0
    assert all(len(set(row)) == 3 for row in found.tolist())


def test_cells_are_read_at_the_depth_that_is_asked_for(opened: Opened, adata: AnnData) -> None:
    torch.manual_seed(0)
    model = model_class("scfoundation").untrained(adata, "tiny").eval()
    deep = keep_model(opened, model)
    counts = deep.context().counts(deep.dataset)
    result = run(request(deep, read_depth="f5"), deep.context("deep"))
    np.testing.assert_allclose(result.embedding, model.at_depth("f5").embed(counts), atol=1e-5)
    usual = run(request(deep), deep.context("usual"))
    np.testing.assert_allclose(usual.embedding, model.embed(counts), atol=1e-5)
    assert np.abs(result.embedding - usual.embedding).max() > 1e-3
    assert price(request(deep, read_depth="f5"), deep.context("price")).seconds > 0


@pytest.mark.parametrize("work", [run, price, help_out])
def test_a_depth_is_refused_by_a_model_that_has_no_choice(
    opened: Opened, work: Callable[..., object]
) -> None:
    with pytest.raises(UnsupportedTaskError, match="Geneformer reads cells at the depth that they have"):
        work(request(opened, read_depth="t4"), opened.context())


def test_the_most_variable_genes_alone_are_read(opened: Opened, adata: AnnData) -> None:
    model = keep_model(opened, model_class("scgpt").untrained(adata, "tiny").eval())
    context = model.context("few")
    counts = context.counts(model.dataset)
    genes = variable_genes(log_expression(counts.X, depth_of(counts)), 60, flavor="cell_ranger")
    result = run(request(model, most_genes=60, flavor="cell_ranger"), context)
    wanted = context.model(model.checkpoint, "embedding").embed(counts[:, genes].copy())
    np.testing.assert_allclose(result.embedding, wanted, atol=1e-5)
    assert result.n_genes_seen == 60
    assert result.notes[0] == ("The model read the 60 most variable genes (Dispersion (Cell Ranger)) only.")
    whole = run(request(model), model.context("all"))
    assert np.abs(result.embedding - whole.embedding).max() > 1e-3
    assert np.array_equal(result.pca, whole.pca)  # the baseline has genes of its own
    assert price(request(model, most_genes=60), model.context("price")).seconds > 0


@pytest.mark.parametrize("work", [run, price, help_out])
def test_a_model_that_reads_all_genes_refuses_to_read_some(
    opened: Opened, work: Callable[..., object]
) -> None:
    with pytest.raises(RequestError, match="Geneformer reads all genes that it knows"):
        work(request(opened, most_genes=100), opened.context())


def test_a_run_from_before_depths_could_be_chosen_is_read(opened: Opened) -> None:
    asked = request(opened)
    write_record(run(asked, opened.context()), opened.context().result)
    old = {name: value for name, value in to_json(asked).items() if name != "read_depth"}
    text = json.dumps({"task": "embedding", "request": old})
    (opened.context().folder / "request.json").write_text(text, encoding="utf-8")
    finished = opened.context("other").finished("one")
    assert finished.request == asked
    assert finished.result.n_unseen == 0


def test_a_price_is_named_before_the_run(opened: Opened) -> None:
    cost = price(request(opened), opened.context())
    assert cost.seconds > 0
    assert 0.05 < cost.gigabytes < 64
    assert "60 cells" in cost.how


def test_too_few_neighbors_are_refused(opened: Opened) -> None:
    with pytest.raises(RequestError, match=r"Neighbors must be 2 to 200 \(got 1\)"):
        Request(dataset="d", checkpoint="c", n_neighbors=1)
