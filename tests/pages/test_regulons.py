"""The page that finds regulons, opened as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.networks.shipped import shipped_regulators
from scviz.settings import Settings
from scviz.tasks import embedding, opening
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.scenic import Request
from scviz.workspace import Workspace
from scviz.workspace.records import RECORD, files_version
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """Known links between the genes of the small cells."""
    path = tmp_path / "links.tsv"
    pairs = [
        (f"GENE{20 * t + r}", f"GENE{20 * t + g}") for t in range(3) for r in (1, 2) for g in range(5, 21)
    ]
    path.write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    return path


def opened_page(visit: Open, opened: Opened, **more: str) -> AppTest:
    page = visit("pages/regulons.py", dataset=opened.dataset, **more)
    assert not page.exception
    return page


def test_cells_without_regulators_are_told_what_is_missing(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    assert page.selectbox(key="scenic_regulators").value == str(shipped_regulators("human"))
    assert "0 of 1,499 regulators are measured in these cells." in words(page), "made-up genes"
    assert page.button(key="run").disabled
    page.selectbox(key="scenic_regulators").set_value(None).run()
    assert "Which genes are regulators?" in words(page)
    assert page.button(key="run").disabled


def named_alike(adata: AnnData, workspace: Workspace, tmp_path: Path, symbols: list[str]) -> str:
    """The small cells, whose first genes have real names."""
    adata.var_names = [*symbols, *adata.var_names[len(symbols) :]]
    adata.var = adata.var.drop(columns="ensembl_id")
    adata.write_h5ad(tmp_path / "named.h5ad")
    return open_file(tmp_path / "named.h5ad", workspace).id


def test_cells_of_real_genes_need_no_file(
    visit: Open, adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = named_alike(adata, workspace, tmp_path, ["STAT1", "IRF1", "SPI1", "GATA1", "CD3E"])
    page = visit("pages/regulons.py", dataset=dataset)
    assert not page.exception
    assert "4 of 1,499 regulators are measured" in words(page)
    page.button(key="run").click().run()
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "scenic"]
    assert (run.request["regulators"], run.request["prior"]) == (str(shipped_regulators("human")), "")


def test_only_files_that_fit_are_offered(visit: Open, opened: Opened, links: Path, tmp_path: Path) -> None:
    (tmp_path / "types.tsv").write_text("cell\ttype\nA\tT cell\n")
    (tmp_path / "notes.txt").write_text("This is a text, and no list of genes.\nIt has lines.\n")
    (tmp_path / "mine.txt").write_text("STAT1\nIRF1\n")
    page = opened_page(visit, opened)
    ours = "Transcription factors of human, by their names (HGNC)"
    assert page.selectbox(key="scenic_regulators").options == [ours, "mine.txt"]
    page.selectbox(key="scenic_support").set_value("prior").run()
    ours = "TRRUST: 8,427 links of human (CC BY-SA 4.0)"
    assert page.selectbox(key="scenic_prior").options == [ours, links.name]


def test_known_links_are_downloaded_by_a_press(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="scenic_support").set_value("prior").run()
    assert "zenodo.org" in words(page)
    page.selectbox(key="links_from").set_value("chip-atlas").run()
    assert not [button for button in page.button if button.key == "download_links"]
    page.text_input(key="links_regulator").set_value("no gene").run()
    assert "ChIP-Atlas has no targets of" in words(page)
    page.text_input(key="links_regulator").set_value("stat1").run()
    page.button(key="download_links").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "known_links"]
    assert (run.request["regulator"], run.request["distance"]) == ("STAT1", 10)


def test_run_hands_in_what_was_chosen(visit: Open, opened: Opened, links: Path) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="scenic_support").set_value("prior").run()
    page.selectbox(key="scenic_prior").set_value(None).run()
    assert "Name the table of the prior network" in words(page)
    page.selectbox(key="scenic_prior").set_value(str(links)).run()
    page.selectbox(key="scenic_regulators").set_value(None).run()
    page.selectbox(key="scenic_method").set_value("correlation").run()
    page.number_input(key="scenic_fewest_genes").set_value(5).run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "scenic"]
    assert (run.request["prior"], run.request["method"]) == (str(links), "correlation")
    assert run.request["files_version"] == files_version(str(links))
    assert run.request["label_key"] == "cell_type"


def test_a_file_outside_the_data_folders_is_refused_in_words(
    visit: Open, opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    page = opened_page(visit, opened)
    page.selectbox(key="scenic_regulators").set_value(str(tmp_path / "link.txt")).run()
    assert not page.exception
    assert "outside the folders that may be opened" in page.error[0].value


def test_motifs_need_both_files(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="scenic_support").set_value("motif").run()
    assert not page.exception
    assert "Name both files" in words(page)


@pytest.mark.slow
def test_finished_regulons_are_shown_beside_chance(visit: Open, opened: Opened, links: Path) -> None:
    request = Request(dataset=opened.dataset, prior=str(links), fewest_genes=5, label_key="cell_type")
    page = opened_page(visit, opened, run=carry_out(opened, "scenic", request))
    assert not page.error
    scores = next(table.value for table in page.dataframe if "AUPRC" in table.value)
    assert list(scores["Method"]) == ["Boosted trees (GRNBoost2)", "Plain correlation", "Random ranking"]
    found = next(table.value for table in page.dataframe if "Most specific for" in table.value)
    assert found["Regulon"][0].endswith("(+)")
    assert len(page.get("plotly_chart")) == 1
    assert "false discovery" in words(page)
    assert "These cells have no map yet" in words(page)
    for key, value in (("heat_shown", "mean"), ("links_of", "correlation")):
        page.button_group(key=key).set_value(value).run()
        assert not page.exception


@pytest.mark.slow
def test_activity_is_shown_on_the_map_that_is_there(visit: Open, opened: Opened, links: Path) -> None:
    carry_out(opened, "embedding", embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint))
    request = Request(dataset=opened.dataset, prior=str(links), fewest_genes=5, method="correlation")
    page = opened_page(visit, opened, run=carry_out(opened, "scenic", request))
    assert "These cells have no map yet" not in words(page)
    page.selectbox(key="map_regulon").set_value(page.selectbox(key="map_regulon").options[1]).run()
    assert not page.exception


def test_a_gene_of_the_network_is_shown_with_its_neighbors_and_leads_on(
    visit: Open, opened: Opened, links: Path
) -> None:
    carry_out(opened, "embedding", embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint))
    request = Request(dataset=opened.dataset, prior=str(links), fewest_genes=5, method="correlation")
    page = opened_page(visit, opened, run=carry_out(opened, "scenic", request))
    (chart,) = page.get("echarts_chart")
    drawn = json.loads(chart.proto.spec)["series"][0]
    names = [one["name"] for one in drawn["data"]]
    box = page.selectbox(key="network_gene")
    assert box.options == ["none", *sorted(names)]
    assert not [one for one in page.dataframe if "Neighbor" in one.value]
    box.set_value("GENE1").run()
    assert not page.exception
    neighbors = next(one.value for one in page.dataframe if "Neighbor" in one.value)
    own = names.index("GENE1")
    ends = [(one["source"], one["target"]) for one in drawn["links"]]
    expected = {names[b] for a, b in ends if a == own} | {names[a] for a, b in ends if b == own}
    assert set(neighbors["Neighbor"]) == expected
    assert set(neighbors["It is a"]) <= {"target", "regulator"}
    assert neighbors["Strength"].is_monotonic_decreasing
    marked = json.loads(page.get("echarts_chart")[0].proto.spec)["series"][0]["data"]
    assert [one["name"] for one in marked if "borderWidth" in one["itemStyle"]] == ["GENE1"]
    there = {one.proto.label: one.proto.query_string for one in page.main.get("page_link")}
    assert "gene=GENE1" in there["Knock it out"]
    assert "gene=GENE1" in there["Color the map by it"]
    assert "maps=run-of-embedding" in there["Color the map by it"]


def test_a_run_from_before_the_picture_says_so(visit: Open, opened: Opened, links: Path) -> None:
    request = Request(dataset=opened.dataset, prior=str(links), fewest_genes=5, method="correlation")
    run = carry_out(opened, "scenic", request)
    record = opened.workspace.run_folder(run) / "result" / RECORD
    plain = json.loads(record.read_text())
    del plain["drawing"]
    record.write_text(json.dumps(plain))
    page = opened_page(visit, opened, run=run)
    assert "This run is older than the picture of its network" in words(page)


@pytest.mark.slow
def test_regulons_of_a_simulated_screen_are_held_against_its_network(
    visit: Open, workspace: Workspace
) -> None:
    simulated = opening.Request(path="", name="", simulated="tiny")
    dataset = open_dataset(simulated, Opened(workspace, "", "").context()).dataset
    screen = Opened(workspace, dataset, "")
    request = Request(dataset=dataset, method="correlation", fewest_genes=5)
    page = opened_page(visit, screen, run=carry_out(screen, "scenic", request))
    assert "imulated" in words(page)
    assert "the network behind the simulated cells" in words(page)
    found = next(table.value for table in page.dataframe if "Known by chance" in table.value)
    assert (found["Known"] >= 0).all()
    assert "Name a column with known cell types" in words(page)
