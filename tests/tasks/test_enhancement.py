"""Restored expression as a run."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
import torch
from anndata import AnnData
from anndata.io import read_elem
from scipy.sparse import csr_matrix

from scviz.datasets.expression import log_expression
from scviz.datasets.layers import LAYERS
from scviz.errors import JobCancelledError, MissingColumnError, RequestError, UnsupportedTaskError
from scviz.foundation import batching
from scviz.models import model_class
from scviz.progress import Progress
from scviz.tasks import exporting
from scviz.tasks.enhancement import LAYER, MODEL, Request
from scviz.tasks.enhancement.check import SAMPLED, SMOOTHED, down_sample, plain_methods, thin
from scviz.tasks.enhancement.inputs import SCALE, gather
from scviz.tasks.enhancement.run import price, run
from scviz.tasks.exporting.run import run as export
from scviz.workspace.records import read_record, to_json, write_record
from tests.conftest import Opened, keep_model


@pytest.fixture
def deep(opened: Opened, adata: AnnData) -> Opened:
    """The cells and an untrained model that can denoise them."""
    torch.manual_seed(0)
    return keep_model(opened, model_class("scfoundation").untrained(adata, "tiny").eval())


def request(opened: Opened, **more: object) -> Request:
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, check_cells=20, **more)


def layer(opened: Opened, name: str = "one") -> np.ndarray:
    with h5py.File(opened.context(name).result / LAYERS, "r") as file:
        return read_elem(file[LAYER]).toarray()


def test_every_method_is_scored_on_the_same_thinned_cells(deep: Opened) -> None:
    result = run(request(deep, label_key="cell_type"), deep.context())
    assert list(result.scores) == [MODEL, SAMPLED, SMOOTHED]
    assert result.gain.baseline in (SAMPLED, SMOOTHED)
    assert result.silhouettes.keys() == result.scores.keys()
    assert len(result.check_rows) == 20
    for name, score in result.scores.items():
        assert len(result.correlations[name]) == 20
        assert score.low <= score.mean <= score.high
    # planted types share their genes, so neighbors know what thinning took; random weights know nothing
    assert result.scores[SMOOTHED].low > result.scores[SAMPLED].mean
    assert result.gain.difference.high < 0
    assert result.original_silhouette > result.silhouettes[SAMPLED]


@pytest.mark.slow
def test_a_scale_that_is_another_one_than_elsewhere_is_told(
    deep: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = {}
    for shallow in (1.0, 1e6):
        monkeypatch.setattr("scviz.datasets.expression.SHALLOW", shallow)
        notes[shallow] = gather(request(deep), deep.context()).notes
    assert notes == {1.0: (), 1e6: (SCALE,)}


def test_a_model_that_has_learned_denoises_more_than_thinning_left(opened: Opened, adata: AnnData) -> None:
    torch.manual_seed(0)
    model = model_class("scfoundation").untrained(adata, "tiny").train()
    optimizer, generator = torch.optim.Adam(model.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    tokens = model.tokenize(adata)
    for _ in range(250):
        optimizer.zero_grad()
        model.pretraining_loss(tokens, generator).backward()
        optimizer.step()
    trained = keep_model(opened, model.eval())
    asked = Request(dataset=trained.dataset, checkpoint=trained.checkpoint, check_cells=60)
    result = run(asked, trained.context())
    assert result.scores[MODEL].mean > result.scores[SAMPLED].mean


def test_all_cells_are_denoised_at_the_depth_that_is_asked_for(deep: Opened) -> None:
    result = run(request(deep, read_depth="f5"), deep.context())
    context = deep.context()
    adata, model = context.counts(deep.dataset), context.model(deep.checkpoint, "enhancement").at_depth("f5")
    with torch.no_grad():
        wanted = model.predicted_expression(model.tokenize(adata)).clamp(min=0).numpy()
    found = layer(deep)
    known = model.vocab.positions(list(adata.var_names))
    np.testing.assert_allclose(found[:, known >= 0], wanted[:, known[known >= 0]], atol=1e-5)
    assert not found[:, known < 0].any()
    assert result.n_genes == (known >= 0).sum()
    assert result.n_unseen == 0
    assert not list(context.result.glob("*.draft"))


def test_a_stopped_run_goes_on_from_its_finished_chunks(
    deep: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "CELLS_PER_CHUNK", 20)
    whole = run(request(deep), deep.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Denoising cells" and progress.done >= 40:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(request(deep), deep.context("parts", stop))
    assert [path.name for path in (deep.context("parts").state / "cells").iterdir()] == ["00000.npy"]
    seen: list[Progress] = []
    again = run(request(deep), deep.context("parts", seen.append))
    assert next(p.done for p in seen if p.stage == "Denoising cells") == 20
    np.testing.assert_array_equal(layer(deep, "parts"), layer(deep, "whole"))
    np.testing.assert_array_equal(again.correlations[MODEL], whole.correlations[MODEL])


def test_a_result_survives_its_folder_and_goes_into_a_copy_of_the_file(deep: Opened, tmp_path: Path) -> None:
    context, asked = deep.context("first"), request(deep)
    result = run(asked, context)
    write_record(result, context.result)
    again = read_record(type(result), context.result)
    assert again.gain == result.gain
    assert again.scores == result.scores
    assert np.isnan(again.original_silhouette)
    text = json.dumps({"task": "enhancement", "request": to_json(asked)})
    (context.folder / "request.json").write_text(text, encoding="utf-8")
    written = export(exporting.Request(run="first"), deep.context("second"))
    assert written.added == (LAYER,)
    copy = anndata.read_h5ad(deep.context("second").result / written.file_name)
    np.testing.assert_array_equal(copy.layers[LAYER].toarray(), layer(deep, "first"))


def test_thinning_leaves_about_a_tenth_and_never_adds(adata: AnnData) -> None:
    thinned = thin(adata.X, np.random.default_rng(0))
    assert thinned.sum() == pytest.approx(0.1 * adata.X.sum(), rel=0.05)
    assert ((adata.X - thinned).toarray() >= 0).all()
    assert (thinned != thin(adata.X, np.random.default_rng(0))).nnz == 0


def test_the_mean_with_neighbors_is_the_mean_of_their_expression(adata: AnnData) -> None:
    model = model_class("scfoundation").untrained(adata, "tiny").eval()
    adata = adata[:, model.vocab.genes].copy()
    thinned = down_sample(adata[:10].copy(), model, n_cells=10, seed=0)
    methods = plain_methods(thinned, seed=0)
    everything = log_expression(thinned.adata.X).toarray()
    np.testing.assert_allclose(methods[SAMPLED], everything[thinned.rows])
    # of ten cells, all are neighbors
    np.testing.assert_allclose(
        methods[SMOOTHED], np.tile(everything.mean(axis=0), (len(thinned.rows), 1)), atol=1e-5
    )


def test_cells_with_hardly_a_read_cannot_be_checked(adata: AnnData) -> None:
    model = model_class("scfoundation").untrained(adata, "tiny").eval()
    adata.X = csr_matrix(adata.X.toarray().clip(max=1) * (np.arange(200) < 3))
    with pytest.raises(RequestError, match="too few for a check") as refusal:
        down_sample(adata, model, n_cells=20, seed=0)
    assert "more reads" in refusal.value.hint


@pytest.mark.parametrize("work", [run, price])
def test_a_model_that_denoises_nothing_is_refused(opened: Opened, work: object) -> None:
    with pytest.raises(UnsupportedTaskError, match="Geneformer reads cells at the depth that they have"):
        work(request(opened), opened.context())


def test_an_unknown_column_is_refused_with_those_there_are(deep: Opened) -> None:
    with pytest.raises(MissingColumnError, match="no column 'celltype'") as refusal:
        run(request(deep, label_key="celltype"), deep.context())
    assert "cell_type" in refusal.value.hint


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"read_depth": ""}, "No depth"),
        ({"check_cells": 3}, "Cells to check on must be 10 to 2,000 cells .got 3"),
    ],
)
def test_requests_that_make_no_sense_are_refused_when_made(values: dict, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Request(dataset="d", checkpoint="c", **values)


def test_a_price_is_named_before_the_run(deep: Opened) -> None:
    cost = price(request(deep), deep.context())
    assert cost.seconds > 5
    assert "80 cells" in cost.how
