"""The Annotate page: weights that know types, a split of one's own, and numbers that follow from its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn import metrics
from streamlit.testing.v1 import AppTest

from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.metrics.comparison import FEWEST_JUDGED
from scviz.settings import Settings
from scviz.tasks import annotation, back, front
from scviz.workspace.database import Run
from scviz.workspace.records import from_json
from tests.conftest import Opened
from tests.models.fine_tuned import FINE_TUNED, TYPES, expressed_cells, write_fine_tuned
from tests.pages import test_pages
from tests.pages.test_pages import Open, carry_out, visit  # noqa: F401 - visit is a fixture


def words(page: AppTest) -> str:
    """All texts of a page, as they are read."""
    return test_pages.words(page).replace("\\", "")


def handed_in(task: str) -> Run:
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == task]
    return run


def table_with(page: AppTest, column: str) -> pd.DataFrame:
    (found,) = [one.value for one in page.dataframe if column in one.value]
    return found


def imported(opened: Opened, page: AppTest, model: str, folder: Path) -> Opened:
    """Add a folder on the Models page and carry out what the page handed in."""
    page.text_input(key=f"folder_{model}").set_value(str(folder))
    page.text_input(key=f"name_{model}").set_value("tuned")
    page.button(key=f"submit_{model}").click().run()
    assert not page.error
    run = handed_in("importing")
    request = from_json(front("importing").Request, run.request)
    taken = back("importing").run(request, opened.context("import"))
    return Opened(opened.workspace, opened.dataset, taken.checkpoint)


@pytest.mark.parametrize("model", FINE_TUNED)
def test_a_fine_tuned_folder_is_added_and_then_offered_as_it_is(
    visit: Open,  # noqa: F811
    opened: Opened,
    tmp_path: Path,
    model: str,
) -> None:
    expressed_cells().write_h5ad(tmp_path / "all.h5ad")
    dataset = open_file(tmp_path / "all.h5ad", opened.workspace).id
    folder = write_fine_tuned(model, tmp_path / "tuned")
    tuned = imported(Opened(opened.workspace, dataset, ""), visit("pages/models.py"), model, folder)
    page = visit("pages/annotate.py", dataset=dataset, checkpoint=tuned.checkpoint)
    assert not page.exception
    assert page.selectbox(key="annotation_mode").value == "predict"
    assert "tuned names 3 types: T cell, B cell, NK cell" in words(page)
    assert page.number_input(key="annotation_unassigned_below").value == 0.5
    page.button(key="run").click().run()
    asked = handed_in("annotation").request
    assert (asked["mode"], asked["label_key"], asked["checkpoint"]) == (
        "predict",
        "cell_type",
        tuned.checkpoint,
    )
    page.selectbox(key="annotation_mode").set_value("head").run()  # they may learn new types, too
    assert page.selectbox(key="annotation_group_key") is not None


def test_predicting_is_offered_only_for_weights_that_know_types(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    offered = page.selectbox(key="annotation_mode").options
    assert annotation.MODES["head"] in offered
    assert annotation.MODES["predict"] not in offered
    assert (
        page.selectbox(key="annotation_group_key").value == ""
    )  # cells of every type, as the Request has it


def predicted(opened: Opened, tmp_path: Path, **more: Any) -> tuple[Opened, str]:
    expressed_cells().write_h5ad(tmp_path / "all.h5ad")
    dataset = open_file(tmp_path / "all.h5ad", opened.workspace).id
    folder = write_fine_tuned("scgpt", tmp_path / "tuned")
    task = front("importing")
    asked = task.Request(model="scgpt", folder=str(folder), name="tuned")
    taken = back("importing").run(asked, opened.context("import"))
    tuned = Opened(opened.workspace, dataset, taken.checkpoint)
    request = annotation.Request(dataset=dataset, checkpoint=tuned.checkpoint, mode="predict", **more)
    return tuned, carry_out(tuned, "annotation", request)


def test_a_prediction_without_labels_claims_nothing(
    visit: Open,  # noqa: F811
    opened: Opened,
    tmp_path: Path,
) -> None:
    tuned, run = predicted(opened, tmp_path)
    page = visit("pages/annotate.py", dataset=tuned.dataset, checkpoint=tuned.checkpoint, run=run)
    assert not page.exception
    assert not page.metric
    assert "cannot be told: no cell has a label to compare with" in words(page)
    assert [tab.label for tab in page.tabs] == ["Named", "Cells", "Evidence", "Ontology", "Other names"]
    counts = table_with(page, "Median confidence")
    cells = table_with(page, "certainty")
    assert counts.set_index("Named")["Cells"].to_dict() == cells["named"].value_counts().to_dict()
    assert set(cells["named"]) <= {*TYPES, ""}


def test_a_prediction_is_compared_with_labels_beside_its_most_frequent_type(
    visit: Open,  # noqa: F811
    opened: Opened,
    tmp_path: Path,
) -> None:
    tuned, run = predicted(opened, tmp_path, label_key="cell_type", unassigned_below=0.4)
    page = visit("pages/annotate.py", dataset=tuned.dataset, checkpoint=tuned.checkpoint, run=run)
    assert not page.exception
    assert "the type predicted most often" in words(page)
    assert "Monocyte" in words(page)
    assert page.number_input(key="annotation_unassigned_below").value == 0.4
    across = table_with(page, "cell_type")
    assert across["cell_type"].tolist() == ["B cell", "Monocyte", "t CELL"]
    assert across.drop(columns="cell_type").to_numpy().sum() == 36
    assert_page_follows_from_its_table(page, named="most probable")


def assert_page_follows_from_its_table(page: AppTest, *, named: str) -> None:
    """Compute every number of the page again from the table of cells."""
    cells = table_with(page, "certainty")
    judging = cells[cells["role"].isin(["held out", "compared"])]
    truth, present = judging["known"], sorted(judging["known"].unique())
    counts = truth.value_counts()
    enough = sorted(counts.index[counts >= FEWEST_JUDGED])
    methods = table_with(page, "Method").set_index("Method")
    for method, row in methods.iterrows():
        given = judging[named if method == "the model" else method]
        mean = {"average": "macro", "labels": enough, "zero_division": 0}
        assert row["Macro-F1"] == pytest.approx(metrics.f1_score(truth, given, **mean))
        assert row["Accuracy"] == pytest.approx(metrics.accuracy_score(truth, given))
        assert row["Precision"] == pytest.approx(metrics.precision_score(truth, given, **mean))
        assert row["Recall"] == pytest.approx(metrics.recall_score(truth, given, **mean))
    others = methods.drop(index="the model")
    best = others["Macro-F1"].idxmax()
    for shown in page.metric:
        own, baseline = methods.loc["the model", shown.label], methods.loc[best, shown.label]
        assert shown.value == f"{own:.3f}"
        told = f"{own - baseline:+.3f}"
        assert shown.delta in (f"{told} from {baseline:.3f}", f"cannot tell from {baseline:.3f}")
        if shown.label == "Macro-F1":  # an arrow only where the verdict has an interval on one side of 0
            verdict = words(page)
            assert f"{shown.value} compared with {baseline:.3f}" in verdict
            is_told = any(one in verdict for one in ("is better than", "is worse than"))
            assert shown.delta.startswith("cannot tell") != is_told
    types = table_with(page, "F1 of baseline").set_index("Type")
    of_types = metrics.precision_recall_fscore_support(truth, judging[named], labels=present, zero_division=0)
    found = types.loc[present, ["Precision", "Recall", "F1", "Cells"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, np.array(of_types).T, atol=1e-12)
    theirs = metrics.f1_score(truth, judging[best], labels=present, average=None, zero_division=0)
    np.testing.assert_allclose(types.loc[present, "F1 of baseline"], theirs)


@pytest.mark.slow
def test_all_numbers_of_a_trained_result_follow_from_its_table_and_the_classifier_is_saved(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    asked = {"dataset": opened.dataset, "checkpoint": opened.checkpoint, "label_key": "cell_type"}
    run = carry_out(opened, "annotation", annotation.Request(**asked, epochs=3, test_fraction=0.4))
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    assert len(page.metric) == 4
    assert_page_follows_from_its_table(page, named="named")
    page.text_input(key="save_name").set_value("my types").run()
    page.button(key="save_classifier").click().run()
    request = from_json(front("importing").Request, handed_in("importing").request)
    taken = back("importing").run(request, opened.context("import"))
    assert opened.workspace.checkpoint(taken.checkpoint).name == "my types"
    assert opened.workspace.seen_in_training(taken.checkpoint, opened.dataset) == "seen"


def test_a_column_that_says_the_part_is_offered_and_a_bad_file_is_refused(
    visit: Open,  # noqa: F811
    opened: Opened,
    adata: AnnData,
    tmp_path: Path,
) -> None:
    adata.obs["fold"] = np.where(np.arange(60) < 45, "train", "test")
    adata.write_h5ad(tmp_path / "split.h5ad")
    dataset = open_file(tmp_path / "split.h5ad", opened.workspace).id
    page = visit("pages/annotate.py", dataset=dataset, checkpoint=opened.checkpoint)
    assert page.selectbox(key="annotation_split_column").options == ["fold", "none"]
    page.selectbox(key="annotation_split_column").set_value("fold").run()
    assert page.selectbox(key="annotation_group_key").disabled
    page.button(key="run").click().run()
    asked = handed_in("annotation").request
    assert (asked["split_column"], asked["group_key"], asked["split_file"]) == ("fold", None, "")

    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    page.file_uploader(key="annotation_split_file").set_value(("split.csv", b"a,train\n", "text/csv")).run()
    assert "not in this dataset" in page.error[0].value
    assert page.button(key="run").disabled
    lines = b"CELL00-1,train\nCELL01-1,train\nCELL03-1,test\n"
    page.file_uploader(key="annotation_split_file").set_value(("split.csv", lines, "text/csv")).run()
    assert not page.error
    page.button(key="run").click().run()
    runs = RunQueue(Settings.from_env()).database.runs()
    files = {run.request["split_file"] for run in runs if run.task == "annotation"}
    assert len(files) == 2  # none, and the one that was kept
