"""The page of quality control, opened as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import back, qc
from scviz.tasks.qc.suggesting import suggested
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.groups import group_version, name_group
from scviz.workspace.records import fingerprint, to_json, write_record
from tests.bad_cells import context, open_bad_cells
from tests.pages.test_pages import Open, visit, words

__all__ = ["visit"]


@pytest.fixture
def bad(workspace: Workspace, tmp_path: Path) -> str:
    return open_bad_cells(workspace, tmp_path).id


def finish(workspace: Workspace, run: Run) -> None:
    """Carry out here what a page has handed in, and keep it as a finished run."""
    surroundings = context(workspace, run.id)
    request = qc.Request(**run.request) if run.task == "qc" else _filtering(run)
    write_record(back(run.task).run(request, surroundings), surroundings.result)
    asked = json.dumps({"task": run.task, "request": run.request})
    (surroundings.folder / "request.json").write_text(asked, encoding="utf-8")
    RunQueue(Settings.from_env()).database.update(run.id, state="done", started=1.0, ended=9.0)


def _filtering(run: Run) -> object:
    from scviz.tasks import filtering
    from scviz.workspace.records import from_json

    return from_json(filtering.Request, run.request)


def measured(workspace: Workspace, dataset: str, **more: object) -> Run:
    """A finished run of quality control."""
    request = to_json(
        qc.Request(dataset=dataset, label_key="cell_type", batch_key="batch", doublets=False, **more)
    )  # type: ignore[arg-type]
    run = Run(id="measured", task="qc", request=request, fingerprint=fingerprint("qc", request), created=1.0)
    RunQueue(Settings.from_env()).database.add(run)
    finish(workspace, run)
    return run


def result_page(visit: Open, dataset: str) -> AppTest:
    page = visit("pages/qc.py", dataset=dataset, run="measured")
    assert not page.exception
    assert not page.error
    return page


def handed_in(task: str) -> Run:
    (run,) = [run for run in RunQueue(Settings.from_env()).runs(states=("queued",)) if run.task == task]
    return run


def field(page: AppTest, end: str, measure: str) -> object:
    """The field of a threshold."""
    return page.number_input(key=f"{end}_{measure}_measured_3")


def test_run_hands_the_question_in(visit: Open, bad: str) -> None:
    page = visit("pages/qc.py", dataset=bad)
    assert not page.exception
    assert "Press Run" in words(page)
    assert page.selectbox(key="qc_label_key").value == "cell_type"
    assert page.selectbox(key="qc_batch_key").value == "batch"
    page.checkbox(key="qc_doublets").uncheck().run()
    page.button(key="run").click().run()
    assert not page.exception
    asked = handed_in("qc").request
    assert (asked["dataset"], asked["batch_key"], asked["doublets"]) == (bad, "batch", False)


def test_suggested_thresholds_are_in_the_fields_and_the_rare_type_is_warned_of(
    visit: Open, workspace: Workspace, bad: str
) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    found = suggested(RunQueue(Settings.from_env()).result("measured"), 3.0)
    assert field(page, "low", "counts").value == found["counts"].low  # type: ignore[attr-defined]
    assert field(page, "high", "genes").value == found["genes"].high  # type: ignore[attr-defined]
    high = found["mitochondrial"].high
    assert high is not None
    assert field(page, "high", "mitochondrial").value == 100 * high  # type: ignore[attr-defined]
    assert field(page, "low", "mitochondrial").value is None  # type: ignore[attr-defined]
    assert field(page, "high", "ribosomal").value is None  # type: ignore[attr-defined]
    said = words(page)
    assert "Kept 188 of 210 cells \\(89.5 %\\)" in said
    assert "All 10 cells of Platelet would be lost" in page.warning[0].value
    assert "median absolute deviation from the median, not scaled" in said
    by_type, by_batch = (table.value for table in page.dataframe)
    assert dict(zip(by_type["cell_type"], by_type["Lost"], strict=True)) == {"Platelet": 10, "T": 7, "B": 5}
    assert by_batch["Lost"].sum() == 22
    assert len(page.get("plotly_chart")) == 4 + 2 + 1


def test_what_is_lost_follows_a_threshold_at_once(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    field(page, "low", "counts").set_value(100.0).run()  # type: ignore[attr-defined]
    field(page, "low", "genes").set_value(40.0).run()  # type: ignore[attr-defined]
    field(page, "high", "counts").set_value(None).run()  # type: ignore[attr-defined]
    assert not page.exception
    assert "Kept 202 of 210 cells" in words(page)
    assert not page.warning
    by_type = page.dataframe[0].value
    assert dict(zip(by_type["cell_type"], by_type["Lost"], strict=True)) == {"Platelet": 0, "T": 3, "B": 5}
    assert [run.task for run in RunQueue(Settings.from_env()).runs()] == ["qc"]


def test_another_rule_suggests_others_without_a_new_run(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    page.number_input(key="qc_n_mads").set_value(5.0).run()
    assert not page.exception
    found = suggested(RunQueue(Settings.from_env()).result("measured"), 5.0)
    assert page.number_input(key="low_counts_measured_5").value == found["counts"].low
    assert "Changed: press Run" not in words(page)


def test_apply_undo_and_redo(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    page.number_input(key="filtering_min_cells").set_value(10).run()
    page.button(key="apply").click().run()
    assert not page.exception
    step = handed_in("filtering")
    assert (step.request["run"], step.request["min_cells"]) == ("measured", 10)
    assert {one["measure"] for one in step.request["bounds"]} == {"counts", "genes", "mitochondrial"}
    finish(workspace, step)
    page.run()
    assert not page.exception
    made = RunQueue(Settings.from_env()).result(step.id)
    assert (made.n_cells, page.selectbox(key="pick_dataset").value) == (188, made.dataset)
    assert page.query_params["dataset"] == [made.dataset] or page.query_params["dataset"] == made.dataset
    assert "Kept 188 of 210 cells" in words(page)
    assert "Press Run" in words(page)
    page.button(key="undo").click().run()
    assert not page.exception
    assert page.selectbox(key="pick_dataset").value == bad
    assert "All 10 cells of Platelet would be lost" in page.warning[0].value
    assert "Undone\\: Kept 188 of 210 cells" in words(page)
    page.button(key="redo").click().run()
    assert not page.exception
    assert page.selectbox(key="pick_dataset").value == made.dataset


def test_a_step_that_failed_says_so_and_the_page_goes_on(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    page.button(key="apply").click().run()
    step = handed_in("filtering")
    RunQueue(Settings.from_env()).database.update(
        step.id, state="failed", ended=9.0, message="No cell would be left.", hint="Choose wider thresholds."
    )
    page.run()
    assert not page.exception
    assert "No cell would be left" in page.error[0].value
    assert page.button(key="apply")


def test_thresholds_that_leave_nothing_cannot_be_applied(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    field(page, "low", "counts").set_value(1e6).run()  # type: ignore[attr-defined]
    assert "Kept 0 of 210 cells" in words(page)
    assert page.button(key="apply").disabled


def test_a_value_of_a_column_becomes_a_dataset(visit: Open, bad: str) -> None:
    page = visit("pages/qc.py", dataset=bad)
    page.selectbox(key="cells_from").set_value("cell_type").run()
    page.multiselect(key="cells_values_cell_type").set_value(["Platelet"]).run()
    assert "10 of 210 cells" in words(page)
    assert page.text_input(key=f"subset_{bad}_bad, Platelet").value == "bad, Platelet"
    page.button(key="make_subset").click().run()
    asked = handed_in("filtering").request
    assert asked["cells"] == [{"column": "cell_type", "values": ["Platelet"]}]
    assert (asked["name"], asked["min_cells"], asked["run"]) == ("bad, Platelet", 0, "")


def test_a_link_from_a_circled_group_chooses_it(visit: Open, workspace: Workspace, bad: str) -> None:
    rows = np.array([1, 5, 9])
    name_group(workspace.dataset_folder(bad), "island", rows)
    page = visit("pages/qc.py", dataset=bad, subset="island")
    assert not page.exception
    assert page.selectbox(key="cells_group").value == "island"
    page.button(key="make_subset").click().run()
    asked = handed_in("filtering").request
    assert (asked["group"], asked["group_version"]) == ("island", group_version(rows))


def test_a_link_from_a_group_that_is_gone_says_so(visit: Open, bad: str) -> None:
    page = visit("pages/qc.py", dataset=bad, subset="gone")
    assert not page.exception
    (said,) = [one.value for one in page.toast]
    assert said.endswith("not here any more\\: gone.")


def test_open_thresholds_keep_all(visit: Open, workspace: Workspace, bad: str) -> None:
    measured(workspace, bad)
    page = result_page(visit, bad)
    for measure in ("counts", "genes", "mitochondrial"):
        for end in ("low", "high"):
            field(page, end, measure).set_value(None).run()  # type: ignore[attr-defined]
    assert "Kept 210 of 210 cells" in words(page)
    page.button(key="apply").click().run()
    assert (handed_in("filtering").request["bounds"], handed_in("filtering").request["run"]) == ([], "")
