"""The page of conditions, opened as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks.conditions import Request
from scviz.workspace import Workspace
from tests.conftest import Opened
from tests.donors import Cells, adata_of, crossed, nested, open_cells, steady
from tests.pages.test_pages import Open, carry_out, visit, words
from tests.tasks.test_conditions import CHOSEN, SIDES, doubled

__all__ = ["visit"]


def opened(workspace: Workspace, folder: Path, cells: Cells) -> str:
    return open_cells(adata_of(cells), workspace, folder).id


def finished(workspace: Workspace, dataset: str, **more: object) -> str:
    request = Request(**{"dataset": dataset, **CHOSEN, **SIDES, **more})  # type: ignore[arg-type]
    return carry_out(Opened(workspace, dataset, ""), "conditions", request)


def test_nothing_open(visit: Open) -> None:
    page = visit("pages/conditions.py")
    assert not page.exception
    assert "compare its conditions here" in words(page)


def test_the_form_begins_with_what_the_file_says_and_run_hands_it_in(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = opened(workspace, tmp_path, crossed(3, steady))
    page = visit("pages/conditions.py", dataset=dataset)
    assert not page.exception
    held = {name: page.selectbox(key=f"conditions_{name}").value for name in (*CHOSEN, *SIDES)}
    assert held == {**CHOSEN, **SIDES}
    assert "condition" not in page.selectbox(key="conditions_donor_key").options
    assert "3 donors in both conditions\\: each is compared with itself." in words(page)
    assert "Every donor counts once" in words(page)
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = RunQueue(Settings.from_env()).runs(states=("queued",))
    assert (run.task, run.request["first"], run.request["donor_key"]) == ("conditions", "stim", "donor")


def test_the_first_condition_is_not_offered_to_compare_with(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = opened(workspace, tmp_path, crossed(2, steady))
    page = visit("pages/conditions.py", dataset=dataset)
    page.selectbox(key="conditions_first").select("ctrl").run()
    assert not page.exception
    assert page.selectbox(key="conditions_second").options == ["stim"]
    assert page.selectbox(key="conditions_second").value == "stim"


def test_a_file_without_donors_is_told_what_it_lacks(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    adata = adata_of(crossed(2, steady))
    del adata.obs["donor"]
    page = visit("pages/conditions.py", dataset=open_cells(adata, workspace, tmp_path).id)
    assert not page.exception
    assert "It takes three columns of cells" in words(page)
    assert [button.disabled for button in page.button if button.key == "run"] == [True]


def test_a_column_whose_name_does_not_say_donors_is_not_taken_for_them(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    adata = adata_of(crossed(3, steady))
    adata.obs = adata.obs.rename(columns={"donor": "louvain"})
    page = visit("pages/conditions.py", dataset=open_cells(adata, workspace, tmp_path).id)
    assert not page.exception
    assert "No column has a name that says it holds donors or samples" in words(page)
    assert [button.disabled for button in page.button if button.key == "run"] == [True]
    page.selectbox(key="conditions_donor_key").select("louvain").run()
    assert [button.disabled for button in page.button if button.key == "run"] == [False]


def test_one_donor_in_a_condition_is_said_before_the_run_and_after(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = opened(workspace, tmp_path, nested(1, steady))
    page = visit("pages/conditions.py", dataset=dataset)
    assert not page.exception
    assert "1 donor of stim and 1 donor of ctrl" in page.warning[0].value
    page = visit("pages/conditions.py", dataset=dataset, run=finished(workspace, dataset))
    assert not page.exception
    assert not page.error
    said = words(page)
    assert "Cannot tell whether the composition differs between stim and ctrl" in said
    assert "It takes 2 donors in each condition" in said
    assert len(page.get("plotly_chart")) == 1 + 0 + 1  # shares; no gene counts; a gene of a type
    assert set(page.dataframe[0].value["Answer"]) == {"cannot tell"}


@pytest.mark.parametrize("design", [crossed, nested])
def test_a_finished_comparison(visit: Open, workspace: Workspace, tmp_path: Path, design: object) -> None:
    dataset = opened(workspace, tmp_path, design(5, doubled))  # type: ignore[operator]
    page = visit("pages/conditions.py", dataset=dataset, run=finished(workspace, dataset))
    assert not page.exception
    assert not page.error
    said = words(page)
    assert "Most genes change in B between stim and ctrl" in said
    assert "With B left out of the reference, no other type differs." in said
    shares, changed, first = (table.value for table in page.dataframe)
    assert dict(zip(shares["Type"], shares["Answer"], strict=True))["B"] == "higher"
    assert "Adjusted p without B" in shares
    assert changed["Type"][0] == "B"
    assert isinstance(first, pd.DataFrame)
    assert first["Gene"][0].startswith("GENE")
    assert len(page.get("plotly_chart")) == 4
    assert "a gene chosen because it stands first looks larger than it is" in said


def test_another_gene_and_type_are_drawn(visit: Open, workspace: Workspace, tmp_path: Path) -> None:
    dataset = opened(workspace, tmp_path, crossed(3, doubled))
    page = visit("pages/conditions.py", dataset=dataset, run=finished(workspace, dataset))
    page.selectbox(key="conditions_gene_type").select("C").run()
    assert not page.exception
    gene = page.button(key="conditions_first_0").label
    assert f"{gene} in C\\: mean log expression" in words(page)
    other = page.button(key="conditions_first_1").click().run().session_state["conditions_gene"]
    assert other == page.button(key="conditions_first_1").label != gene
    assert f"{other} in C\\: mean log expression" in words(page)
    page.selectbox(key="conditions_gene_type").select("A").run()  # a gene that was chosen stays
    assert f"{other} in A\\: mean log expression" in words(page)
    page = visit("pages/conditions.py", dataset=dataset, run="run-of-conditions", gene="gene7")
    assert not page.exception
    assert "GENE7 in B\\: mean log expression" in words(page)
    page = visit("pages/conditions.py", dataset=dataset, run="run-of-conditions", gene="NOSUCH")
    assert not page.exception
    assert "No gene of this dataset is called NOSUCH" in words(page)


def test_the_genes_of_a_type_are_asked_for_with_the_same_donors(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = opened(workspace, tmp_path, crossed(3, doubled))
    run = finished(workspace, dataset, same_donors="different")
    page = visit("pages/conditions.py", dataset=dataset, run=run)
    assert page.selectbox(key="conditions_same_donors").value == "different"
    assert "3 names of donor are on both sides and were taken for different donors, as was chosen" in words(
        page
    )
    assert "3 names in both, taken for different ones" in words(page)
    (link,) = [one.proto for one in page.get("page_link") if "All genes of this type" in str(one.proto)]
    assert "different" in str(link)


def test_another_question_than_the_result_beside(visit: Open, workspace: Workspace, tmp_path: Path) -> None:
    dataset = opened(workspace, tmp_path, crossed(3, steady))
    run = finished(workspace, dataset, reference="A")
    page = visit("pages/conditions.py", dataset=dataset, run=run)
    assert page.selectbox(key="conditions_reference").value == "A"
    assert "Changed: press Run" not in words(page)
    page.selectbox(key="conditions_reference").select("D").run()
    assert "Changed: press Run" in words(page)
