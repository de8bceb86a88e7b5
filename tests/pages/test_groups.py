"""The page that compares groups of cells, opened as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from streamlit.testing.v1 import AppTest

from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import group_genes, markers, overview
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.filters import Filter
from scviz.tasks.group_genes.ahead import contrast_of
from scviz.workspace import Workspace
from scviz.workspace.groups import name_group, read_groups
from scviz.workspace.records import from_json
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit
from tests.pages.test_pages import words as words_of

__all__ = ["visit"]


def words(page: AppTest) -> str:
    """All texts of a page, as they are read."""
    return words_of(page).replace("\\", "")


RAISED = [f"ISG{i}" for i in range(1, 9)]


@pytest.fixture
def treated(workspace: Workspace, tmp_path: Path) -> Opened:
    """320 cells of 4 donors, two types and two conditions; eight genes rise with treatment, in one type alone."""
    rng = np.random.default_rng(0)
    n_cells = 320
    cell = np.arange(n_cells)
    donor, stim, monocyte = cell % 4, (cell // 4) % 2, (cell // 8) % 2
    means = np.tile(rng.gamma(2.0, 0.5, 60), (n_cells, 1)) * rng.lognormal(0, 0.05, (4, 60))[donor]
    means[(stim == 1) & (monocyte == 1), :8] += 6
    means[monocyte == 1, 8:16] += 5
    means[monocyte == 0, 16:24] += 5
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(np.where(monocyte, "CD14+ Monocytes", "B cells")),
            "condition": pd.Categorical(np.where(stim, "stim", "ctrl")),
            "donor": pd.Categorical([f"d{i}" for i in donor]),
            "leiden": pd.Categorical(monocyte.astype(str)),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    genes = [*RAISED, *(f"GENE{i}" for i in range(52))]
    data = anndata.AnnData(
        csr_matrix(rng.poisson(means).astype("f4")), obs=obs, var=pd.DataFrame(index=genes)
    )
    data.write_h5ad(tmp_path / "treated.h5ad")
    return Opened(workspace, open_file(tmp_path / "treated.h5ad", workspace, name="treated").id, "")


def opened_page(visit: Open, treated: Opened, **more: str) -> AppTest:
    page = visit("pages/groups.py", dataset=treated.dataset, **more)
    assert not page.exception
    return page


def handed_in(task: str) -> group_genes.Request:
    (run,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == task]
    found: group_genes.Request = from_json(group_genes.Request, run.request)
    return found


WITHIN = (Filter(column="cell_type", values=("CD14+ Monocytes",)),)


def stim_against_ctrl(treated: Opened, **more: object) -> group_genes.Request:
    return group_genes.Request(
        dataset=treated.dataset,
        a=CellGroup(column="condition", value="stim"),
        b=CellGroup(column="condition", value="ctrl"),
        within=WITHIN,
        **more,  # type: ignore[arg-type]
    )


def test_one_click_asks_for_both_conditions_within_a_type_and_donors_are_recommended(
    visit: Open, treated: Opened
) -> None:
    contrast = contrast_of(treated.workspace.dataset(treated.dataset))
    assert contrast is not None
    assert (contrast.case, contrast.control, contrast.types) == ("stim", "ctrl", "cell_type")
    page = opened_page(visit, treated)
    page.button_group(key="groups_preset").set_value("CD14+ Monocytes").run()
    assert not page.exception
    assert "A: stim, 80 cells" in words(page)
    assert "B: ctrl, 80 cells" in words(page)
    assert "Donors as replicates: 4 in A, 4 in B" in words(page)
    page.button(key="run").click().run()
    assert handed_in("group_genes") == stim_against_ctrl(treated, method="deseq2", donor="donor")


def test_cells_as_replicates_are_called_so(visit: Open, treated: Opened) -> None:
    page = opened_page(visit, treated)
    page.button_group(key="groups_preset").set_value("CD14+ Monocytes").run()
    page.selectbox(key="group_genes_method").set_value("wilcoxon").run()
    assert "cells of one donor count as if they were independent" in words(page)
    page.selectbox(key="groups_within").set_value("donor").run()
    assert "no column has two or more donors or samples" in words(page)  # one donor alone is looked at
    assert page.selectbox(key="group_genes_method").options == [
        "Wilcoxon rank-sum test, corrected for ties",
        "Welch's t test",
    ]


def test_an_expression_is_counted_or_refused_beside_its_field(visit: Open, treated: Opened) -> None:
    page = opened_page(visit, treated)
    page.selectbox(key="group_from_a").set_value("an expression").run()
    assert "Type which cells" in words(page)
    assert page.button(key="run").disabled
    page.text_input(key="group_text_a").set_value("ISG1 > ").run()
    assert "there should be a value after ISG1" in words(page)
    page.text_input(key="group_text_a").set_value('condition == "stim" and cell_type == "B cells"').run()
    assert not page.error
    assert "80 cells" in words(page)
    assert not page.button(key="run").disabled
    page.selectbox(key="group_from_b").set_value("condition").run()
    page.selectbox(key="group_condition_b").set_value("stim").run()
    assert "80 cells would be in both groups" in words(page)
    assert page.button(key="run").disabled


def test_a_named_group_is_handed_in_by_a_link(visit: Open, treated: Opened) -> None:
    name_group(treated.workspace.dataset_folder(treated.dataset), "mine", np.arange(0, 320, 3))
    page = opened_page(visit, treated, named="mine")
    assert page.selectbox(key="group_from_a").value == "my named groups"
    assert page.selectbox(key="group_named_a").value == "mine"
    assert "107 cells" in words(page)


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ({"named": "gone"}, "no group named gone"),
        ({"a_column": "condition", "a_value": "gone"}, "no gone in condition"),
        ({"a_column": "gone", "a_value": "stim"}, "no stim in gone"),
    ],
)
def test_a_link_to_cells_that_are_gone_sets_no_group_and_says_so(
    visit: Open, treated: Opened, link: dict[str, str], word: str
) -> None:
    name_group(treated.workspace.dataset_folder(treated.dataset), "mine", np.arange(0, 320, 3))
    page = opened_page(visit, treated, **link)
    assert word in page.toast[0].value
    assert page.selectbox(key="group_from_a").value == "cell_type"  # as without a link


def test_a_link_to_clusters_that_are_gone_says_so(visit: Open, treated: Opened) -> None:
    page = opened_page(visit, treated, markers_of="gone")
    assert [one.value[:12] for one in page.toast] == ["The clusters"]
    assert page.selectbox(key="markers_of").value == "cell_type"


def test_genes_are_shown_as_table_volcano_dots_violins_and_heat_map(visit: Open, treated: Opened) -> None:
    page = opened_page(visit, treated, run=carry_out(treated, "group_genes", stim_against_ctrl(treated)))
    assert not page.error
    said = words(page)
    assert "Higher in stim" in said
    assert "Cells were counted as replicates though donor names donors on both sides" in said
    table = next(one.value for one in page.dataframe if "Log2 FC" in one.value)
    assert set(table["Gene"][:8]) == set(RAISED)
    assert len(table) == 60
    assert {"% in stim", "% in ctrl", "Adjusted p"} <= set(table)
    assert len(page.get("plotly_chart")) == 4
    assert page.selectbox(key="groups_within").value == "cell_type"  # the form asks what was asked
    assert "Changed: press Run" not in said
    page.text_input(key="groups_find").set_value("isg5").run()
    assert not page.exception
    assert "**ISG5** · log2 fold change" in words(page)
    table = next(one.value for one in page.dataframe if "Log2 FC" in one.value)
    assert list(table["Gene"]) == ["ISG5"]
    page.text_input(key="groups_find").set_value("gene").run()
    table = next(one.value for one in page.dataframe if "Log2 FC" in one.value)
    assert set(table["Gene"]) == {f"GENE{i}" for i in range(52)}
    page.text_input(key="groups_find").set_value("GENE51").run()
    assert "**GENE51** · log2 fold change" in words(page)


def test_markers_are_shown_and_name_groups_only_where_they_suggest_a_name(
    visit: Open, treated: Opened
) -> None:
    asked = markers.Request(dataset=treated.dataset, column="leiden")
    page = opened_page(visit, treated, run=carry_out(treated, "markers", asked))
    said = words(page)
    assert not page.error
    assert "ranks count, p values do not" in said
    overview = next(one.value for one in page.dataframe if "First markers" in one.value)
    assert list(overview["Cells"]) == [160, 160]
    assert list(overview["Suggested name"]) == ["no suggestion", "no suggestion"]
    assert not [one for one in page.button if one.key == "name_groups"]
    assert len(page.get("plotly_chart")) == 1
    assert not read_groups(treated.workspace.dataset_folder(treated.dataset))
    page.button(key="run").click().run()
    assert "Answered from the finished run" in words(page)


def asked_of(page: AppTest) -> dict[str, object]:
    """The question in the address of a page."""
    value = page.query_params["ask"]
    asked: dict[str, object] = json.loads(value if isinstance(value, str) else value[0])
    return asked


def test_a_question_that_has_not_run_stands_in_the_address_and_opens_as_it_was(
    visit: Open, treated: Opened
) -> None:
    page = opened_page(visit, treated)
    page.button_group(key="groups_preset").set_value("CD14+ Monocytes").run()
    page.selectbox(key="group_genes_method").set_value("welch").run()
    asked = asked_of(page)
    assert asked["method"] == "welch"
    other = opened_page(visit, treated, ask=json.dumps(asked))
    assert not other.toast
    assert other.selectbox(key="group_condition_a").value == "stim"
    assert other.selectbox(key="group_condition_b").value == "ctrl"
    assert other.multiselect(key="groups_within_cell_type").value == ["CD14+ Monocytes"]
    assert other.selectbox(key="group_genes_method").value == "welch"
    other.selectbox(key="group_condition_a").set_value("ctrl").run()
    other.selectbox(key="group_condition_b").set_value("stim").run()
    assert not other.exception
    assert other.selectbox(key="group_condition_a").value == "ctrl"
    assert asked_of(other)["a"] == {"column": "condition", "value": "ctrl"}


def test_markers_stand_in_the_address_too(visit: Open, treated: Opened) -> None:
    page = opened_page(visit, treated, ask='{"task":"markers","column":"leiden"}')
    assert page.segmented_control(key="groups_question").value == "Markers of every group"
    assert page.selectbox(key="markers_of").value == "leiden"
    assert asked_of(page) == {"task": "markers", "column": "leiden"}


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        ("[1", "cannot be read"),
        ('{"task":"group_genes","a":{"column":"condition","value":"stim","run":"../.."}}', "cannot be read"),
        ('{"task":"group_genes","a":7}', "cannot be read"),
        (f'{{"task":"markers","seed":{"9" * 400}}}', "cannot be read"),
        ('{"task":"group_genes","a":{"column":"condition","value":"gone"}}', "not here"),
        ('{"task":"group_genes","a":{"column":"nothing","value":"x"},"method":"welch"}', "not here"),
        ('{"task":"markers","column":"nothing"}', "not here"),
    ],
)
def test_a_question_of_nothing_is_left_out_with_a_word(
    visit: Open, treated: Opened, ask: str, word: str
) -> None:
    page = opened_page(visit, treated, ask=ask)
    assert not page.error
    assert word in " ".join(one.value for one in page.toast)


def test_one_group_is_named_beside_its_markers_and_another_one_keeps_its_name(
    visit: Open, treated: Opened
) -> None:
    folder = treated.workspace.dataset_folder(treated.dataset)
    asked = markers.Request(dataset=treated.dataset, column="leiden")
    run = carry_out(treated, "markers", asked)
    page = opened_page(visit, treated, run=run)
    assert page.button(key="name_one").disabled  # nothing is suggested, and nothing typed
    page.text_input(key=f"name_of_{run}_0").set_value("Interferon monocytes").run()
    page.button(key="name_one").click().run()
    assert not page.exception
    assert "Named: Interferon monocytes." in words(page)
    cells = read_groups(folder)
    assert list(cells) == ["Interferon monocytes"]
    assert len(cells["Interferon monocytes"]) == 160
    (noted,) = page.session_state[f"journal_{treated.dataset}"].done  # Undo on Explore takes it back
    assert noted.what == "Named “Interferon monocytes” (160 cells)"
    assert noted.go(noted.before)
    assert not read_groups(folder)
    assert noted.go(noted.after)
    page.selectbox(key="markers_group").set_value("1").run()
    page.text_input(key=f"name_of_{run}_1").set_value("interferon Monocytes").run()
    page.button(key="name_one").click().run()
    assert "There is a group “Interferon monocytes” already" in words(page)
    assert list(read_groups(folder)) == ["Interferon monocytes"]


def test_markers_of_the_clusters_of_a_map_are_asked_for_by_a_link(visit: Open, treated: Opened) -> None:
    run = carry_out(treated, "overview", overview.Request(dataset=treated.dataset))
    page = opened_page(visit, treated, markers_of=run)
    assert page.button_group(key="groups_question").value == "Markers of every group"
    assert page.selectbox(key="markers_of").value == f"run:{run}"
    page.button(key="run").click().run()
    (asked,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == "markers"]
    assert from_json(markers.Request, asked.request) == markers.Request(dataset=treated.dataset, run=run)
