"""Doubt of cell types: what is fitted where, and numbers that follow from what is exported."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn import metrics

from scviz.cli import main, running
from scviz.datasets.label_terms import label_terms
from scviz.datasets.readers import open_file
from scviz.errors import JobCancelledError, RequestError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.models import model_class
from scviz.models.geneformer.model import Geneformer
from scviz.progress import Progress
from scviz.tasks import exporting
from scviz.tasks.annotation import MODEL, Request, Result
from scviz.tasks.annotation.confidence import (
    abstaining,
    calibrations,
    climbed,
    climbed_sentence,
    novelty_sentence,
    one_names,
    sets_by_way,
    sets_sentence,
    spread_sentence,
)
from scviz.tasks.annotation.inputs import FEWEST_CALIBRATING, gather
from scviz.tasks.annotation.plan import Plan, plans
from scviz.tasks.annotation.run import run
from scviz.tasks.annotation.set_sizes import sizes_sentence
from scviz.tasks.annotation.squares import Square, first_genes, genes_of_square, square_of, too_few
from scviz.tasks.exporting.run import run as export
from scviz.workspace import Workspace
from scviz.workspace.records import read_record, to_json, write_record
from tests.conftest import Opened, keep_model
from tests.inline_queue import InlineQueue

N_CELLS, N_GENES = 720, 60
NAMES = ("B cell", "CD4 T cell", "CD8 T cell", "NK cell")


def cells() -> anndata.AnnData:
    """Cells of four types, two of which look nearly alike, of six donors."""
    rng = np.random.default_rng(0)
    types = np.arange(N_CELLS) % len(NAMES)
    means = np.tile(rng.gamma(0.7, 1.0, N_GENES), (N_CELLS, 1))
    for number in range(len(NAMES)):
        marked = slice(10 * number, 10 * number + 10)
        means[:, marked] = np.where(types == number, 2.0, 0.4)[:, None]
    twins = np.isin(types, (1, 2))
    means[np.ix_(twins, np.arange(10, 30))] = 1.1
    means[np.ix_(types == 1, [10, 11])] = 2.0
    means[np.ix_(types == 2, [20, 21])] = 2.0
    counts = rng.poisson(means).astype(np.float32)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical([NAMES[number] for number in types]),
            "donor": pd.Categorical([f"donor {i // 4 % 6}" for i in range(N_CELLS)]),
        },
        index=pd.Index([f"CELL{i:03d}" for i in range(N_CELLS)], dtype=object),
    )
    var = pd.DataFrame(
        {"ensembl_id": [f"ENSG9{i:010d}" for i in range(1, N_GENES + 1)]},
        index=pd.Index([f"GENE{i}" for i in range(1, N_GENES + 1)], dtype=object),
    )
    return anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The cells as an open dataset, and a tiny model."""
    folder, adata = tmp_path_factory.mktemp("doubt"), cells()
    adata.write_h5ad(folder / "cells.h5ad")
    workspace = Workspace(folder / "home")
    info = open_file(folder / "cells.h5ad", workspace, name="cells")
    torch.manual_seed(0)
    return keep_model(Opened(workspace, info.id, ""), Geneformer.untrained(adata, "tiny"))


def asked(many: Opened, **more: Any) -> Request:
    given = {"label_key": "cell_type", "epochs": 8, "seeds": 1, "test_fraction": 0.3, **more}
    return Request(dataset=many.dataset, checkpoint=many.checkpoint, **given)


@pytest.fixture(scope="module")
def found(many: Opened) -> Result:
    return run(asked(many, seeds=3, novelty=True), many.context("found"))


def test_no_cell_has_two_parts(many: Opened) -> None:
    adata = cells()
    for plan in plans(asked(many, seeds=2, folds=3)):
        inputs = gather(asked(many, folds=3), adata, np.ones(N_CELLS, dtype=np.int64), plan=plan)
        split = inputs.split
        parts = np.concatenate([split.train, split.validation, split.test, inputs.calibration])
        assert len(parts) == len(np.unique(parts)) == N_CELLS
        assert len(inputs.calibration) >= FEWEST_CALIBRATING


@pytest.mark.parametrize("by", [None, "donor"])
def test_each_cell_is_held_out_once(many: Opened, by: str | None) -> None:
    adata, held = cells(), []
    request = asked(many, folds=4, group_key=by)
    for plan in plans(request):
        inputs = gather(request, adata, np.ones(N_CELLS, dtype=np.int64), plan=plan)
        held.append(inputs.split.test)
        if by:
            donors = adata.obs["donor"].to_numpy()
            outside = np.setdiff1d(np.arange(N_CELLS), inputs.split.test)
            assert not set(donors[inputs.split.test]) & set(donors[outside])
    assert np.sort(np.concatenate(held)).tolist() == list(range(N_CELLS))


def test_few_cells_are_not_set_aside_and_it_is_said(opened: Opened) -> None:
    result = run(
        Request(
            dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type", epochs=1, seeds=1
        ),
        opened.context(),
    )
    assert result.all_sets is None
    assert result.test_sets == {}
    assert result.raw_confidence is None
    assert any("No sets of types: fewer than 40 cells" in note for note in result.notes)
    assert any("too few to calibrate it" in note for note in result.notes)
    assert sets_sentence(result) == "No sets of types: too few cells could be set aside."


def test_confidence_is_calibrated_by_other_cells(found: Result) -> None:
    judged = calibrations(found)
    assert set(judged) == {"calibrated", "before"}
    (temperature,) = found.temperatures
    assert temperature is not None
    assert temperature.loss <= temperature.loss_before
    assert judged["before"].accuracy == judged["calibrated"].accuracy
    right = found.predicted[MODEL] == found.truth
    assert judged["calibrated"].accuracy == right.mean()
    before = found.raw_confidence[found.test_rows]
    assert judged["before"].confidence == pytest.approx(before.mean(), abs=1e-4)
    p = found.probabilities.astype(float)
    one_hot = np.eye(len(NAMES))[found.truth]
    assert judged["calibrated"].brier == pytest.approx(((found.probabilities - one_hot) ** 2).sum(1).mean())
    assert judged["calibrated"].log_loss == pytest.approx(
        metrics.log_loss(found.truth, p / p.sum(axis=1, keepdims=True), labels=range(len(NAMES))), abs=1e-5
    )


def test_sets_hold_what_they_say(found: Result) -> None:
    assert found.all_sets is not None
    assert sum(found.calibrating) >= FEWEST_CALIBRATING
    for one in sets_by_way(found):
        sets = found.test_sets[one.way]
        held = sets[np.arange(len(sets)), found.truth]
        assert one.coverage.observed.mean == held.mean()
        assert one.coverage.observed.high > 0.85  # of 90 % promised; 216 cells judge
        assert one.coverage.size == sets.sum(1).mean()
    assert np.array_equal(found.all_sets[found.test_rows], found.test_sets["lac"])
    # types that look alike share sets, the others do not
    sizes = found.test_sets["lac"].sum(1)
    twins = np.isin(found.truth, (1, 2))
    assert sizes[twins].mean() > sizes[~twins].mean()
    assert "90 % were promised" in sets_sentence(found)


@pytest.mark.parametrize(("misses", "verdict"), [(0, "kept"), (30, "kept"), (60, "not kept")])
def test_a_promise_is_broken_only_where_chance_does_not_explain_it(
    found: Result, misses: int, verdict: str
) -> None:
    sets = np.ones_like(found.test_sets["lac"])
    sets[:misses] = False  # 216 cells judge: 30 are 14 %, which with so few cells set aside is chance
    said = sets_sentence(replace(found, test_sets={**found.test_sets, "lac": sets}))
    assert f"were promised: {verdict}, for cells like these" in said
    assert "can be chance" in said


def test_the_size_of_sets_for_each_type_is_said_beside_plain_ones(found: Result) -> None:
    own, plain = (found.test_sets[way].sum(axis=1).mean() for way in ("class", "lac"))
    wanted = f"hold {own:.2f} types on average, sets by probability {plain:.2f} on the same 216"
    assert wanted in sizes_sentence(found)
    few = sizes_sentence(replace(found, calibrating=(3, *found.calibrating[1:])))
    assert f"1 type of these in every set for want of cells: {NAMES[0]} had fewer" in few


def test_typical_cells_are_as_those_set_aside(found: Result) -> None:
    typical = found.all_typical
    assert typical is not None
    assert ((typical > 0) & (typical <= 1)).all()
    assert (typical[found.test_rows] <= 0.1).mean() < 0.16  # of those set aside a tenth, by any one type


def test_seeds_have_a_spread(found: Result) -> None:
    assert [one.seed for one in found.repeats] == [0, 1, 2]
    assert found.repeats[0].macro_f1[MODEL] == found.scores[MODEL].macro_f1
    assert len({one.macro_f1[MODEL] for one in found.repeats}) > 1
    own = [one.macro_f1[MODEL] for one in found.repeats]
    assert (
        f"{min(own):.3f} to {max(own):.3f} (standard deviation {np.std(own, ddof=1):.3f})"
        in spread_sentence(found)
    )


def test_types_left_out_are_looked_for(found: Result) -> None:
    assert {one.name for one in found.novelty} == set(NAMES)
    assert {one.vectors for one in found.novelty} == {"model", "expression"}
    of = {(one.name, one.vectors, one.score): one for one in found.novelty}
    assert of["B cell", "expression", "mahalanobis"].auroc.low > 0.6
    twin = of["CD4 T cell", "expression", "mahalanobis"].auroc.mean
    assert twin < of["B cell", "expression", "mahalanobis"].auroc.mean
    assert all(one.n_known + one.n_new <= N_CELLS for one in found.novelty)
    assert "Hardest" in novelty_sentence(found, "mahalanobis")


def test_abstaining_names_fewer_cells(found: Result) -> None:
    curve = abstaining(found)
    assert curve.named[0] == 1
    assert (np.diff(curve.named) <= 0).all()
    assert curve.accuracy[0] == (found.predicted[MODEL] == found.truth).mean()


def test_sets_of_kin_have_one_name_that_holds_as_often_or_more(many: Opened, found: Result) -> None:
    terms = [one.term for one in label_terms(many.workspace.dataset_folder(many.dataset), NAMES)]
    assert all(terms)
    names = climbed(found, terms)
    assert names is not None
    both = found.all_sets.tolist().index([False, True, True, False])
    assert names.names[both] == "T cell"
    held = names.holds[found.test_rows, found.truth]
    assert (held >= found.test_sets["lac"][np.arange(len(held)), found.truth]).all()
    rows = one_names(found, names)
    assert sum(one.n_cells for one in rows) == N_CELLS
    assert sum(one.n_judged for one in rows) == len(held)
    right = sum(one.right * one.n_judged for one in rows if one.n_judged)
    assert right == pytest.approx(held.sum())
    assert f"{100 * held.mean():.1f} % of the names hold the known type" in climbed_sentence(found, names)
    assert climbed(replace(found, all_sets=None), terms) is None


@pytest.mark.slow
def test_donors_held_out_get_no_promise(many: Opened) -> None:
    result = run(asked(many, group_key="donor", folds=3), many.context("donors"))
    assert len(result.test_rows) == N_CELLS
    assert set(np.unique(result.folds)) == {0, 1, 2}
    assert len(result.temperatures) == 3
    assert "Not guaranteed where groups differ" in sets_sentence(result)
    assert set(sets_by_way(result)[0].by_group) == {f"donor {i}" for i in range(6)}
    assert np.array_equal(result.all_predicted[result.test_rows], result.predicted[MODEL])


@pytest.mark.slow
def test_a_stopped_run_of_many_goes_on_where_it_was(many: Opened) -> None:
    request = asked(many, seeds=2, folds=2, epochs=3)
    whole = run(request, many.context("whole"))
    seen = 0

    def stop(progress: Progress) -> None:
        nonlocal seen
        seen += progress.stage == "Baselines"
        if seen == 3:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(request, many.context("parts", stop))
    finished = sorted(path.name for path in (many.context("parts").state).iterdir() if path.is_dir())
    assert "seed 0 fold 1" in finished
    again = run(request, many.context("parts"))
    np.testing.assert_allclose(again.probabilities, whole.probabilities, atol=1e-5)
    assert [one.macro_f1 for one in again.repeats] == [one.macro_f1 for one in whole.repeats]


def test_a_result_with_doubt_survives_its_folder_and_is_written_into_a_copy(
    many: Opened, found: Result, tmp_path: Path
) -> None:
    write_record(found, tmp_path / "result")
    again = read_record(Result, tmp_path / "result")
    assert again.repeats == found.repeats
    assert np.array_equal(again.all_sets, found.all_sets)
    assert [(one.name, one.auroc.mean) for one in again.novelty] == [
        (one.name, one.auroc.mean) for one in found.novelty
    ]
    context = many.context("found")
    write_record(found, context.result)
    request = {"task": "annotation", "request": to_json(asked(many))}
    (context.folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    terms = label_terms(many.workspace.dataset_folder(many.dataset), NAMES)
    written = export(exporting.Request(run="found", terms=terms), many.context("copy"))
    assert {"scviz_geneformer_set", "scviz_geneformer_set_name"} <= set(written.added)
    copy = anndata.read_h5ad(many.context("copy").result / written.file_name)
    assert copy.obs["scviz_geneformer_set"].astype(str).tolist() == found.set_names.tolist()
    one_name = climbed(found, [one.term for one in terms])
    assert one_name is not None
    assert copy.obs["scviz_geneformer_set_name"].astype(str).tolist() == one_name.names.tolist()
    kept = CellTypeClassifier.load(context.result / "classifier", model_class("geneformer"))
    assert kept.temperature == pytest.approx(found.temperatures[0].value)
    np.testing.assert_allclose(
        kept.classify(cells()).probabilities.max(axis=1), found.all_confidence, atol=1e-4
    )


@pytest.mark.slow
def test_the_command_prints_what_follows_from_its_table(
    many: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(many.workspace.home))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)
    table, shares = tmp_path / "cells.csv", tmp_path / "p.csv"
    options = ["--label-key", "cell_type", "--epochs", "8", "--seeds", "1", "--test-fraction", "0.3"]
    more = ["--csv", str(table), "--probabilities-csv", str(shares)]
    assert main(["annotate", many.dataset, "--checkpoint", many.checkpoint, *options, *more]) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = [row for row in csv.DictReader(StringIO(table.read_text("utf-8"))) if row["role"] == "held out"]
    held = np.array([row["known"] in row["set"].split(" | ") for row in rows])
    assert answer["sets"]["lac"]["observed"] == pytest.approx(held.mean(), abs=6e-5)
    assert {"T cell", "B cell"} & {row["name of the set"] for row in rows}
    assert sum(one["judged"] for one in answer["sets"]["names"].values()) == len(rows)
    sizes = np.array([0 if "none" in row["set"] else row["set"].count("|") + 1 for row in rows])
    assert answer["sets"]["lac"]["size"] == pytest.approx(sizes.mean(), abs=6e-5)
    assert answer["sets"]["lac"]["empty"] == pytest.approx((sizes == 0).mean(), abs=6e-5)
    for name, column in (("calibrated", "confidence"), ("before", "confidence before")):
        sure = np.array([float(row[column]) for row in rows])
        right = np.array([row["named"] == row["known"] for row in rows])
        bins = np.clip(np.ceil(sure * 15) - 1, 0, 14)
        error = sum(
            (bins == b).mean() * abs(right[bins == b].mean() - sure[bins == b].mean())
            for b in np.unique(bins)
        )
        assert answer["confidence"][name]["ece"] == pytest.approx(error, abs=1e-3)
    p = list(csv.DictReader(StringIO(shares.read_text("utf-8"))))
    truth = np.array([row["known"] for row in p])
    values = np.array([[float(row[f"p {name}"]) for name in NAMES] for row in p])
    brier = ((values - (truth[:, None] == np.array(NAMES))) ** 2).sum(1).mean()
    assert answer["confidence"]["calibrated"]["brier"] == pytest.approx(brier, abs=6e-5)
    for way in ("lac", "aps", "class"):
        held = np.mean([row[f"set {way} {row['known']}"] == "1" for row in p])
        assert answer["sets"][way]["observed"] == pytest.approx(held, abs=6e-5)


def test_an_own_split_has_no_folds(many: Opened) -> None:
    with pytest.raises(RequestError, match="no folds"):
        asked(many, folds=3, split_column="donor")
    assert Plan(seed=1, fold=2).name == "seed 1 fold 2"


def test_genes_behind_a_square_are_those_by_which_its_cells_differ(many: Opened) -> None:
    types = np.arange(N_CELLS) % len(NAMES)
    folder = many.workspace.dataset_folder(many.dataset)
    own, others = np.flatnonzero(types == 1), np.flatnonzero(types == 2)
    square = Square(
        true=NAMES[1],
        named=NAMES[2],
        rows=own,
        right=others,
        confidence=np.full(len(own), 0.5, dtype=np.float32),
        other_confidence=np.full(len(others), 0.9, dtype=np.float32),
        n_of_type=360,
    )
    table = genes_of_square(folder, square, N_CELLS)
    assert table is not None
    assert {name for name, _ in first_genes(folder, table, 4)} == {"GENE11", "GENE12", "GENE21", "GENE22"}
    assert square.sentence == (
        "180 of 360 cells of CD4 T cell are named CD8 T cell (50.0 %): median confidence 0.50, compared with 0.90 of "
        "the 180 CD4 T cell named right."
    )
    few = replace(square, rows=own[:9])
    assert genes_of_square(folder, few, N_CELLS) is None
    assert too_few(few) == (
        "Cannot tell which genes differ: 9 cells CD4 T cell named CD8 T cell and 180 CD4 T cell named right; it takes "
        "10 of each."
    )


def test_squares_part_the_cells_of_a_type(found: Result) -> None:
    for true in NAMES:
        squares = [square_of(found, true, named) for named in NAMES]
        rows = np.concatenate([one.rows for one in squares])
        assert np.sort(rows).tolist() == found.test_rows[found.truth == NAMES.index(true)].tolist()
        right = next(one for one in squares if one.named == true)
        assert all(np.array_equal(one.right, right.rows) for one in squares if one is not right)
        assert len(right.right) + len(right.rows) == right.n_of_type
