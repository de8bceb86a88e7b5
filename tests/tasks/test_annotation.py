"""Cell types as a run."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pytest
import torch
from anndata import AnnData

from scviz.datasets.own_cell_split import keep_split
from scviz.datasets.readers import open_file
from scviz.errors import JobCancelledError, MissingColumnError, RequestError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.models import model_class
from scviz.progress import Progress, silent
from scviz.tasks import exporting
from scviz.tasks.annotation import MODEL, RANDOM_WEIGHTS, Request
from scviz.tasks.annotation.baselines import LOGISTIC_ALL, MAJORITY
from scviz.tasks.annotation.inputs import gather
from scviz.tasks.annotation.learning import (
    balanced_weights,
    cross_entropy,
    fits_in_memory,
    read_cells,
    train_head,
)
from scviz.tasks.annotation.run import price, run
from scviz.tasks.exporting.run import run as export
from scviz.workspace import CheckpointInfo
from scviz.workspace.records import read_json, read_record, to_json, write_record
from scviz.workspace.store import NOT_KNOWN
from tests.conftest import TYPES, Opened, keep_model
from tests.models.cells import planted_cells


def request(opened: Opened, **more: object) -> Request:
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, **{"label_key": "cell_type", **more})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "epochs", "learning_rate", "least"),
    [
        ("head", 25, 5e-3, 0.8),
        ("lora", 120, 1e-3, 0.5),  # of 12 cells held out it mistakes more on one processor than on another
        ("full", 25, 5e-3, 0.8),
        ("published", 25, 5e-3, 0.8),
    ],
)
def test_planted_types_are_learned(
    opened: Opened, mode: str, epochs: int, learning_rate: float, least: float
) -> None:
    result = run(
        request(opened, mode=mode, epochs=epochs, learning_rate=learning_rate, batch_size=8), opened.context()
    )
    assert result.types == TYPES
    assert result.scores[MODEL].macro_f1 > least
    assert result.scores[MODEL].macro_f1 > result.scores[MAJORITY].macro_f1
    assert result.scores[LOGISTIC_ALL].macro_f1 > 0.9
    untrained = {RANDOM_WEIGHTS} if mode == "head" else set()
    assert set(result.predicted) == {MODEL, LOGISTIC_ALL, MAJORITY} | untrained
    assert len(result.all_predicted) == 60
    assert result.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert result.n_train + result.n_validation + len(result.test_rows) == 60


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["full", "lora"])
def test_fine_tuning_goes_on_from_a_trained_head(opened: Opened, mode: str) -> None:
    head = run(request(opened), opened.context("head"))
    steps = {"epochs": 1, "learning_rate": 1e-9}  # too small to change anything
    tuned = run(request(opened, mode=mode, **steps), opened.context(mode))
    np.testing.assert_array_equal(tuned.predicted[MODEL], head.predicted[MODEL])
    assert tuned.scores[MODEL].macro_f1 > 0.8


@pytest.mark.slow
def test_a_result_survives_its_folder_and_the_classifier_names_cells_again(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    context = opened.context()
    result = run(request(opened, epochs=2), context)
    write_record(result, tmp_path / "result")
    again = read_record(type(result), tmp_path / "result")
    assert again.gain.sentence == result.gain.sentence
    assert np.array_equal(again.predicted[MODEL], result.predicted[MODEL])
    assert read_json(CheckpointInfo, context.result / "classifier" / "scviz.json").trained_on == (
        NOT_KNOWN,
        opened.dataset,
    )
    kept = CellTypeClassifier.load(context.result / "classifier", model_class("geneformer"))
    named = kept(kept.encoder.tokenize(adata)).argmax(dim=1).numpy()
    assert np.array_equal(named, result.all_predicted)


def test_whole_donors_are_held_out(opened: Opened, adata: AnnData) -> None:
    result = run(request(opened, group_key="donor", test_fraction=0.25, epochs=1), opened.context())
    held_out = set(adata.obs["donor"].astype(str).iloc[result.test_rows])
    assert held_out == set(result.held_out_groups)
    assert len(held_out) == 1


def with_split(opened: Opened, adata: AnnData, tmp_path: Path, parts: np.ndarray) -> Opened:
    adata.obs["fold"] = parts
    adata.write_h5ad(tmp_path / "split.h5ad")
    return Opened(
        opened.workspace, open_file(tmp_path / "split.h5ad", opened.workspace).id, opened.checkpoint
    )


def test_your_own_split_says_who_trains_who_stops_and_who_judges(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    parts = np.repeat(["train", "valid", "test", ""], [30, 9, 15, 6])
    split = with_split(opened, adata, tmp_path, parts)
    by_column = run(request(split, split_column="fold", epochs=1), split.context("column"))
    assert by_column.test_rows.tolist() == list(range(39, 54))
    assert (by_column.n_train, by_column.n_validation) == (30, 9)
    assert "No part in the split, and left out: 6 cells." in by_column.notes
    assert "Your own split: 30 cells train the model, 9 choose the best epoch, 15 judge." in by_column.notes
    lines = "".join(f"{name},{part}\n" for name, part in zip(adata.obs_names, parts, strict=True) if part)
    name = keep_split(f"cell,fold\n{lines}", split.workspace.dataset_folder(split.dataset))
    by_file = run(request(split, split_file=name, epochs=1), split.context("file"))
    assert np.array_equal(by_file.test_rows, by_column.test_rows)
    np.testing.assert_allclose(by_file.probabilities, by_column.probabilities, atol=1e-6)


def test_without_validation_in_your_split_some_training_cells_choose_the_epoch(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    split = with_split(opened, adata, tmp_path, np.where(np.arange(60) < 45, "train", "test"))
    result = run(request(split, split_column="fold", epochs=1), split.context())
    assert result.test_rows.tolist() == list(range(45, 60))
    assert result.n_train + result.n_validation == 45
    assert result.n_validation == 6  # 2 of the 15 of each type
    assert any("6, drawn from its training cells, choose the best epoch" in note for note in result.notes)


def test_a_split_that_leaves_one_type_to_learn_from_is_refused(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    one = (adata.obs["cell_type"] == "B cell").to_numpy()
    split = with_split(opened, adata, tmp_path, np.where(one, "train", "test"))
    with pytest.raises(
        RequestError, match="labeled training cells of 1 cell types and 40 labeled test cells"
    ):
        run(request(split, split_column="fold"), split.context())


def test_cells_without_a_label_are_named_but_neither_trained_nor_tested_on(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.obs["some"] = adata.obs["cell_type"].astype(str).where(np.arange(60) < 40)
    adata.obs.loc[adata.obs_names[:2], "some"] = "rare"
    adata.write_h5ad(tmp_path / "some.h5ad")
    info = open_file(tmp_path / "some.h5ad", opened.workspace, name="some")
    asked = Request(dataset=info.id, checkpoint=opened.checkpoint, label_key="some", epochs=1)
    result = run(asked, opened.context())
    assert result.types == TYPES
    assert result.notes[:2] == (
        '20 of 60 cells have no label in some ("unknown": 20) and are left out of what is told by it.',
        "Left out, with too few cells: rare (2 cells).",
    )
    assert result.notes[2].startswith("Expression is log1p of counts scaled to")  # of the baselines
    assert result.test_rows.max() < 40
    assert result.test_rows.min() >= 2
    assert (result.all_predicted >= 0).all()


def test_an_unknown_column_is_refused_with_those_there_are(opened: Opened) -> None:
    with pytest.raises(MissingColumnError, match="no column 'celltype'") as refusal:
        run(request(opened, label_key="celltype"), opened.context())
    assert "cell_type" in refusal.value.hint


def test_one_type_cannot_be_learned(opened: Opened) -> None:
    with pytest.raises(RequestError, match="has 0 cell types with 5 cells or more, and it takes two"):
        run(request(opened, label_key="percent_mt"), opened.context())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"test_fraction": 0.9}, "Cells held out must be 5 % to 50 % .got 90 %"),
        ({"group_key": "cell_type"}, "cannot be held out by"),
        ({"split_column": "cell_type"}, "cannot be held out by"),
        ({"split_column": "fold", "group_key": "donor"}, "in one way at a time"),
        ({"split_column": "fold", "split_file": "1.csv"}, "in one way at a time"),
        ({"label_key": ""}, "No column with known cell types was chosen"),
    ],
)
def test_requests_that_make_no_sense_are_refused_when_made(
    opened: Opened, values: dict, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        request(opened, **values)


def test_a_price_grows_with_what_is_trained(opened: Opened) -> None:
    few = price(request(opened, mode="full", epochs=1), opened.context())
    many = price(request(opened, mode="full", epochs=200), opened.context())
    assert many.seconds > few.seconds
    assert "200 epochs" in many.how


def test_names_are_written_into_a_copy_of_the_file(opened: Opened) -> None:
    context = opened.context("first")
    asked = request(opened, epochs=1)
    result = run(asked, context)
    write_record(result, context.result)
    asked_as_json = json.dumps({"task": "annotation", "request": to_json(asked)})
    (context.folder / "request.json").write_text(asked_as_json, encoding="utf-8")
    written = export(exporting.Request(run="first"), opened.context("second"))
    copy = anndata.read_h5ad(opened.context("second").result / written.file_name)
    assert written.added == tuple(f"scviz_geneformer_{n}" for n in ("label", "confidence", "certainty"))
    named = [result.types[code] for code in result.all_predicted]
    assert copy.obs["scviz_geneformer_label"].astype(str).tolist() == named
    assert copy.uns["scviz"]["models"]["weights_id"] == "geneformer/tiny"


def test_rare_types_weigh_more_when_all_are_to_count_the_same() -> None:
    weights = balanced_weights(np.array([0] * 6 + [1] * 2), 2)
    assert weights.tolist() == pytest.approx([8 / 12, 8 / 4])
    scores, types = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), np.array([0, 1])
    right, wrong = np.log1p(np.exp(-2.0)), np.log1p(np.exp(2.0))
    assert cross_entropy(scores, types).item() == pytest.approx((right + wrong) / 2)
    assert cross_entropy(scores, types, weights).item() == pytest.approx((right * 8 / 12 + wrong * 2) / 2)


def test_a_request_for_balance_changes_what_is_learned(
    opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata[np.flatnonzero((np.arange(60) % 3 > 0) | (np.arange(60) < 24))].write_h5ad(tmp_path / "few.h5ad")
    info = open_file(tmp_path / "few.h5ad", opened.workspace, name="few")
    asked = {"dataset": info.id, "checkpoint": opened.checkpoint, "label_key": "cell_type", "epochs": 1}
    plain = run(Request(**asked), opened.context("plain"))
    balanced = run(Request(**asked, balanced=True), opened.context("balanced"))
    assert plain.losses != balanced.losses


def test_a_head_that_reads_too_much_to_keep_learns_the_same(opened: Opened, tmp_path: Path) -> None:
    adata = planted_cells()
    asked = request(opened, epochs=2, pooling="published")
    losses, weights = [], []
    for name, most in {"kept": 10**9, "read anew": 1000}.items():
        torch.manual_seed(0)
        model = model_class("scbert").untrained(adata, "tiny").eval()
        inputs = gather(asked, adata, model.n_tokens(adata))
        classifier = CellTypeClassifier(model, model.classifier(3, pooling="published"), inputs.types)
        assert read_cells(classifier, inputs, np.array([3, 1]), report=silent).shape == (
            2,
            *model(model.tokenize(adata[:1])).tokens.shape[1:],
        )
        assert fits_in_memory(classifier, inputs, most) == (name == "kept")
        losses.append(
            train_head(classifier, inputs, request=asked, context=opened.context(name), most=most).loss
        )
        weights.append(torch.cat([p.detach().ravel() for p in classifier.head.parameters()]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    torch.testing.assert_close(weights[0], weights[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["lora", "published"])
def test_stopped_training_goes_on_and_ends_with_the_same_names(opened: Opened, mode: str) -> None:
    asked = request(opened, mode=mode, epochs=2, batch_size=16)
    whole = run(asked, opened.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Training" and progress.done == 5:  # in the middle of the second epoch
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(asked, opened.context("parts", stop))
    again = run(asked, opened.context("parts"))
    assert again.losses == pytest.approx(whole.losses, abs=1e-6)
    np.testing.assert_allclose(again.probabilities, whole.probabilities, atol=1e-5)


@pytest.mark.parametrize("mode", ["lora", "published"])
def test_every_way_to_train_has_a_price(opened: Opened, mode: str) -> None:
    few = price(request(opened, mode=mode, epochs=1), opened.context())
    many = price(request(opened, mode=mode, epochs=300), opened.context())
    assert many.seconds > few.seconds


@pytest.mark.parametrize(
    ("name", "trained"),
    [("scbert", ("performer.net.layers.0.", "norm.")), ("scfoundation", ("encoder_layers.0.",))],
)
def test_a_run_trains_only_what_the_authors_of_a_model_do(
    opened: Opened, adata: AnnData, name: str, trained: tuple[str, ...]
) -> None:
    torch.manual_seed(0)
    model = model_class(name).untrained(adata, "tiny")
    asked = request(keep_model(opened, model), mode="published", epochs=2)
    context = opened.context()
    before = dict(context.model(asked.checkpoint, "annotation").network.named_parameters())
    run(asked, context)
    kept = CellTypeClassifier.load(context.result / "classifier", type(model)).encoder.network
    changed = {key for key, p in kept.named_parameters() if not torch.equal(p, before[key])}
    assert changed
    assert all(key.startswith(trained) for key in changed)
