"""The page that asks what genes have in common, opened as a user meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scviz.datasets.enrichr import LIBRARIES
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import embedding, gene_terms, scenic
from scviz.tasks.enrichment import PROGRAMS, Request
from scviz.workspace.database import Run
from scviz.workspace.groups import group_version, name_group
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]


@pytest.fixture
def markers(tmp_path: Path) -> Path:
    """Marker genes of the three planted types as a file of gene sets."""
    path = tmp_path / "markers.gmt"
    rows = [f"type {t}\t\t" + "\t".join(f"GENE{20 * t + g}" for g in range(1, 21)) for t in range(3)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def sets(visit: Open, opened: Opened, markers: Path) -> str:
    """The same in the workspace."""
    run = carry_out(opened, "gene_terms", gene_terms.Request(path=str(markers)))
    return str(RunQueue(Settings.from_env()).result(run).terms)


def opened_page(visit: Open, opened: Opened, **more: str) -> AppTest:
    page = visit("pages/enrich.py", dataset=opened.dataset, **more)
    assert not page.exception
    assert not page.error
    return page


def handed_in(task: str) -> Run:
    (run,) = [run for run in RunQueue(Settings.from_env()).runs(states=("queued",)) if run.task == task]
    return run


def test_run_hands_in_a_group_of_cells(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="group_cell_type").set_value("NK cell").run()
    page.selectbox(key="against_cell_type_NK cell").set_value("T cell").run()
    page.selectbox(key="enrichment_direction").set_value("both").run()
    page.number_input(key="enrichment_least_change").set_value(1.0).run()
    page.button(key="run").click().run()
    assert not page.exception
    asked = handed_in("enrichment").request
    assert (asked["column"], asked["group"], asked["against"]) == ("cell_type", "NK cell", "T cell")
    assert (asked["direction"], asked["least_change"], asked["sets"]) == ("both", 1.0, PROGRAMS)


def test_a_ranking_asks_for_no_direction(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="enrichment_method").set_value("prerank").run()
    assert not page.exception
    assert "enrichment_direction" not in {box.key for box in page.selectbox}
    page.button(key="run").click().run()
    assert handed_in("enrichment").request["method"] == "prerank"


def test_typed_genes_are_taken_apart(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.button_group(key="question_kind").set_value("typed").run()
    assert "No gene was named" in words(page)
    assert page.button(key="run").disabled
    page.text_area(key="typed_genes").set_value("GENE1, GENE2;GENE3\n GENE4 GENE1").run()
    page.button(key="run").click().run()
    assert handed_in("enrichment").request["genes"] == ["GENE1", "GENE2", "GENE3", "GENE4"]


def test_a_link_from_a_circled_group_chooses_it(visit: Open, opened: Opened) -> None:
    rows = np.arange(0, 60, 3)
    name_group(opened.workspace.dataset_folder(opened.dataset), "island", rows)
    page = opened_page(visit, opened, group="island")
    assert page.selectbox(key="group_column").value == "my named groups"
    page.button(key="run").click().run()
    asked = handed_in("enrichment").request
    assert (asked["group"], asked["group_version"], asked["column"]) == ("island", group_version(rows), "")


def test_a_link_from_a_group_of_a_column_chooses_it(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, column="donor", group="donor 2", against="donor 3")
    assert page.selectbox(key="group_column").value == "donor"
    assert page.selectbox(key="group_donor").value == "donor 2"
    assert page.selectbox(key="against_donor_donor 2").value == "donor 3"


@pytest.mark.parametrize(
    "link",
    [
        {"group": "gone"},
        {"group": "gone", "column": "donor"},
        {"group": "B cell", "column": "gone"},
        {"group": "B cell", "column": "cell_type", "against": "gone"},
        {"from_run": "gone", "set": "Module 1"},
    ],
)
def test_a_link_to_what_is_gone_chooses_nothing_and_says_so(
    visit: Open, opened: Opened, link: dict[str, str]
) -> None:
    name_group(opened.workspace.dataset_folder(opened.dataset), "mine", np.arange(5))
    page = opened_page(visit, opened, **link)
    assert [one.value[:18] for one in page.toast] == ["The link asks for "]
    assert page.button_group(key="question_kind").value == "group"
    assert page.selectbox(key="group_column").value == "cell_type"


def test_gene_sets_come_from_a_file_of_the_server(visit: Open, opened: Opened, markers: Path) -> None:
    page = opened_page(visit, opened)
    page.text_input(key="gmt_path").set_value("/etc/hostname").run()
    page.button(key="add_gmt").click().run()
    assert "outside the folders that may be opened" in page.error[0].value
    page.text_input(key="gmt_path").set_value(str(markers)).run()
    page.button(key="add_gmt").click().run()
    assert not page.exception
    assert handed_in("gene_terms").request["path"] == str(markers)


def test_gene_sets_come_from_an_upload(visit: Open, opened: Opened, markers: Path) -> None:
    page = opened_page(visit, opened)
    page.file_uploader(key="gmt_upload").upload(
        "../../odd name.gmt", markers.read_bytes(), "text/plain"
    ).run()
    page.button(key="add_gmt").click().run()
    assert not page.exception
    asked = handed_in("gene_terms").request
    kept = Path(asked["path"])
    assert kept.is_relative_to(opened.workspace.home / "uploads")
    assert kept.read_bytes() == markers.read_bytes()


def test_a_library_is_asked_for_by_a_press_alone(
    visit: Open, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_ENRICHR", "http://127.0.0.1:9")
    page = opened_page(visit, opened)
    assert RunQueue(Settings.from_env()).runs() == []
    assert "127\\.0\\.0\\.1" in words(page) or "127.0.0.1" in words(page)
    page.selectbox(key="library").set_value("MSigDB_Hallmark_2020").run()
    page.button(key="download_library").click().run()
    assert not page.exception
    assert handed_in("gene_terms").request["library"] == "MSigDB_Hallmark_2020"
    assert set(LIBRARIES) >= {"Reactome_2022", "GO_Biological_Process_2021", "GO_Molecular_Function_2021"}


@pytest.mark.parametrize("method", ["over-representation", "prerank"])
def test_what_was_found_stands_beside_random_genes(
    visit: Open, opened: Opened, sets: str, method: str
) -> None:
    request = Request(dataset=opened.dataset, column="cell_type", group="B cell", sets=sets, method=method)  # type: ignore[arg-type]
    page = opened_page(visit, opened, run=carry_out(opened, "enrichment", request))
    assert [metric.label for metric in page.metric] == [
        "Gene sets enriched",
        "Gene sets tested",
        "Genes found",
        "Background",
    ]
    assert "by the plain test" in page.metric[0].delta
    table = next(table.value for table in page.dataframe if "Which genes" in table.value)
    assert "p, like expression" in table
    assert table["Gene set"][0].startswith("type")
    if method == "prerank":
        assert len(page.get("plotly_chart")) == 1
        return
    assert len(page.get("plotly_chart")) == 2
    assert {"FDR", "FDR, hit sets", "By chance", "Like expression"} <= set(table.columns)
    assert table["Gene set"][0] == "type 0"
    assert "genes measured in these cells, seen in at least 1 % of the cells of a side" in words(page)
    genes = next(table.value for table in page.dataframe if "Log2 fold change" in table.value)
    assert "type 0" in genes["In the first gene sets"][0]


def test_a_link_does_not_show_the_answer_to_another_question(visit: Open, opened: Opened, sets: str) -> None:
    request = Request(dataset=opened.dataset, column="cell_type", group="B cell", sets=sets)
    run = carry_out(opened, "enrichment", request)
    assert opened_page(visit, opened).metric
    page = opened_page(visit, opened, column="cell_type", group="T cell")
    assert not page.metric
    assert "Press Run" in words(page)
    assert opened_page(visit, opened, column="cell_type", group="T cell", run=run).metric


@pytest.mark.slow
def test_a_regulon_is_one_press_away(visit: Open, opened: Opened, tmp_path: Path) -> None:
    page = opened_page(visit, opened, from_run="gone")
    assert "of a run that are not here" in page.toast[0].value
    page.button_group(key="question_kind").set_value("run").run()
    assert "find modules or regulons first" in words(page)
    links = tmp_path / "links.tsv"
    pairs = [
        (f"GENE{20 * t + r}", f"GENE{20 * t + g}") for t in range(3) for r in (1, 2) for g in range(5, 21)
    ]
    links.write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    asked = scenic.Request(dataset=opened.dataset, prior=str(links), fewest_genes=5, method="correlation")
    run = carry_out(opened, "scenic", asked)
    regulons = visit("pages/regulons.py", dataset=opened.dataset, run=run)
    name = regulons.selectbox(key="enrich_regulon").options[1]
    regulons.selectbox(key="enrich_regulon").set_value(name).run()
    (link,) = [link for link in regulons.main.get("page_link") if link.proto.label == "Enrich"]
    assert f"from_run={run}" in link.proto.query_string
    page = opened_page(visit, opened, from_run=run, set=name)
    assert page.selectbox(key="from_run").value == run
    assert page.selectbox(key=f"set_of_{run}").value == name
    page.button(key="run").click().run()
    asked_now = handed_in("enrichment").request
    assert (asked_now["run"], asked_now["name"]) == (run, name)


@pytest.mark.slow
def test_a_circled_group_is_one_press_away(visit: Open, opened: Opened) -> None:
    name_group(opened.workspace.dataset_folder(opened.dataset), "island", np.arange(9))
    asked = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8)
    run = carry_out(opened, "embedding", asked)
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    page.button_group(key="groups_chosen").set_value(["island"]).run()
    assert not page.exception
    (link,) = [link for link in page.main.get("page_link") if link.proto.label == "Enrich"]
    assert "group=island" in link.proto.query_string


@pytest.mark.parametrize(
    "asked",
    [
        {"genes": ("GENE1", "GENE2", "GENE3")},
        {"column": "cell_type", "group": "T cell", "against": "NK cell", "direction": "down"},
        {"column": "donor", "group": "donor 2", "method": "prerank"},
    ],
)
def test_the_form_shows_the_question_of_the_result(
    visit: Open, opened: Opened, sets: str, asked: dict[str, object]
) -> None:
    request = Request(dataset=opened.dataset, sets=sets, least_change=0.0, max_fdr=1.0, **asked)  # type: ignore[arg-type]
    page = opened_page(visit, opened, run=carry_out(opened, "enrichment", request))
    assert page.metric
    assert "Changed: press Run" not in words(page)  # was said of every result but one of the first group
    page.button(key="run").click().run()
    assert "Answered from the finished run" in words(page)  # the form asks what was asked, field by field


def test_a_choice_outlives_another_page_until_a_link_asks_for_more(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="group_column").set_value("donor").run()
    page.selectbox(key="group_donor").set_value("donor 3").run()
    page.switch_page("pages/runs.py").run()
    page.switch_page("pages/enrich.py").run()
    assert page.selectbox(key="group_donor").value == "donor 3"
    page.switch_page("pages/runs.py").run()
    page.query_params.update(column="cell_type", group="T cell")
    page.switch_page("pages/enrich.py").run()
    assert not page.exception
    assert page.selectbox(key="group_cell_type").value == "T cell"
