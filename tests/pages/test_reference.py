"""The Annotate page for cells without labels: names from a reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.sparse import csr_matrix
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks.transfer import LOGISTIC, Request
from scviz.tasks.transfer.held_out import MAJORITY, PERMUTED
from scviz.tasks.transfer.references import references
from scviz.workspace import Workspace
from tests.conftest import Opened
from tests.pages import test_pages
from tests.pages.test_pages import Open, carry_out, visit  # noqa: F401 - visit is a fixture
from tests.tasks.test_transfer import Two, opened, two  # noqa: F401 - two is a fixture
from tests.tasks.test_transfer_doubt import confused


def words(page: AppTest) -> str:
    return test_pages.words(page).replace("\\", "")


def way(page: AppTest) -> str:
    (found,) = [one for one in page.radio if "annotate_way" in str(one.key)]
    return str(found.value)


@pytest.fixture
def done(two: Two, visit: Open) -> str:  # noqa: F811
    """A finished run."""
    request = Request(dataset=two.query, reference=two.reference, label_key="cell_type")
    return carry_out(Opened(two.workspace, two.query, ""), "transfer", request)


def test_cells_without_labels_begin_with_a_reference_and_one_press_names_them(
    visit: Open,  # noqa: F811
    two: Two,  # noqa: F811
) -> None:
    page = visit("pages/annotate.py", dataset=two.query)
    assert not page.exception
    assert way(page) == "reference"
    assert page.selectbox(key="transfer_reference").value == "blood"
    page.selectbox(key="transfer_reference").set_value(two.reference).run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == "transfer"]
    asked = run.request
    assert (asked["dataset"], asked["reference"], asked["label_key"]) == (
        two.query,
        two.reference,
        "cell_type",
    )


def test_cells_with_labels_begin_with_these(visit: Open, two: Two) -> None:  # noqa: F811
    assert way(visit("pages/annotate.py", dataset=two.reference)) == "labels"


def test_a_result_shows_types_fit_methods_and_every_cell(visit: Open, done: str) -> None:  # noqa: F811
    page = visit("pages/annotate.py", run=done)
    assert not page.exception
    assert way(page) == "reference"
    said = words(page)
    assert "no counterpart in the reference" in said
    frames = {tuple(one.value.columns)[:2]: one.value for one in page.dataframe}
    assert frames[("Type", "Cells")]["Cells"].sum() == 120
    assert set(frames[("Cluster", "Cells")]["Counterpart"]) <= {"yes", "no", "cannot tell"}
    assert LOGISTIC in set(frames[("Method", "Accuracy")]["Method"])
    assert len(frames[("cell", "scviz_logistic_label")]) == 120


def test_another_method_can_name(visit: Open, done: str) -> None:  # noqa: F811
    page = visit("pages/annotate.py", run=done)
    (method,) = [one for one in page.selectbox if one.label == "Named by"]
    method.set_value("nearest cells on 50 PCs").run()
    assert not page.exception
    assert "The verdict and the file are of" in words(page)
    assert any("scviz_pca_nearest_label" in one.value.columns for one in page.dataframe)


def test_what_was_learned_is_saved_and_offered(visit: Open, done: str, tmp_path: Path) -> None:  # noqa: F811
    page = visit("pages/annotate.py", run=done)
    page.text_input(key="transfer_save_name").set_value("My types")
    page.button(key="transfer_save").click().run()
    assert not page.exception
    assert "Saved. Choose My types as reference" in words(page)
    kept = references(Workspace(tmp_path / "home"))
    assert [one.reference.name for one in kept] == ["My types", "Blood cells"]


def test_weak_names_abstaining_and_sets_are_shown(
    visit: Open,  # noqa: F811
    two: Two,  # noqa: F811
    tmp_path: Path,
) -> None:
    reference = opened(two.workspace, tmp_path, confused(1), "confused")
    request = Request(dataset=two.query, reference=reference, label_key="cell_type")
    run = carry_out(Opened(two.workspace, two.query, ""), "transfer", request)
    page = visit("pages/annotate.py", run=run)
    assert not page.exception
    assert "Weak names: NK cell (right for" in words(page)
    assert "were promised, for cells like the" in words(page)
    assert any("Weak names: NK cell" in one.value.replace("\\", "") for one in page.warning)
    (types,) = [one.value for one in page.dataframe if "Held-out cells named so" in one.value.columns]
    assert dict(zip(types["Type"], types["Name"], strict=True))["NK cell"] == "weak"
    (methods,) = [one.value for one in page.dataframe if "Temperature" in one.value.columns]
    assert {MAJORITY, PERMUTED} < set(methods["Method"])
    (sets,) = [one.value for one in page.dataframe if list(one.value.columns)[:1] == ["Set"]]
    assert sets["Cells"].sum() == 120

    page.slider(key="transfer_threshold").set_value(0.9).run()
    assert not page.exception
    (cells,) = [one.value for one in page.dataframe if "scviz_logistic_label" in one.value.columns]
    unnamed = cells["scviz_logistic_label"] == ""
    assert unnamed.tolist() == (cells["scviz_logistic_confidence"] < 0.9).tolist()
    assert 0 < unnamed.sum() < 120
    assert f"With 0.90: {100 * unnamed.mean():.0f} % of the cells here are unnamed." in words(page)


@pytest.mark.parametrize("n_empty", [9, 120])
def test_cells_that_get_no_name_are_shown_without_one(
    visit: Open,  # noqa: F811
    two: Two,  # noqa: F811
    tmp_path: Path,
    n_empty: int,
) -> None:
    """With 120, no cell at all has a molecule of the genes that both have."""
    query = confused(2)[:120].copy()
    del query.obs["cell_type"]
    counts = query.X.toarray()
    counts[:n_empty, :80] = 0
    query.X = csr_matrix(counts)
    dataset = opened(two.workspace, tmp_path, query, "some empty")
    reference = opened(two.workspace, tmp_path, confused(1)[:, :80].copy(), "few genes")
    request = Request(dataset=dataset, reference=reference, label_key="cell_type")
    run = carry_out(Opened(two.workspace, dataset, ""), "transfer", request)
    page = visit("pages/annotate.py", run=run)
    assert not page.exception
    (cells,) = [one.value for one in page.dataframe if "scviz_logistic_label" in one.value.columns]
    assert (cells["scviz_logistic_label"] == "").tolist() == [at < n_empty for at in range(120)]
    assert cells["scviz_logistic_confidence"].isna().sum() == n_empty
    assert cells["scviz_logistic_distance"].isna().sum() == n_empty
    assert ("No cell gets a name: logistic" in words(page)) == (n_empty == 120)
    page.slider(key="transfer_threshold").set_value(0.5).run()
    assert not page.exception
