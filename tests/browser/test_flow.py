"""What a newcomer does, in a real browser with the real engine: from an empty workspace to the answers.

With SCREENSHOTS=1 every step is also kept as a picture, light and dark, in assets/screenshots.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import psutil
import pytest
from anndata import AnnData
from playwright.sync_api import Page, expect

from scviz.settings import ROOT
from tests.browser.conftest import PATIENCE, start_server
from tests.browser.steps import (
    SLOW,
    choose,
    choose_gene,
    choose_many,
    follow,
    keyed,
    lasso,
    map_drawn,
    picture,
    press,
    selected,
    settled,
    stage,
    type_gene,
    upload,
    workers_of,
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    pid: int


@pytest.fixture(scope="module")
def server(home: Path, server_logs: Path) -> Iterator[Server]:
    """The dashboard on that workspace."""
    env = {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(home / "data")}
    process, address = start_server(ROOT / "app.py", env, server_logs / "dashboard.log")
    yield Server(address, process.pid)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=PATIENCE)


@pytest.fixture
def url(server: Server) -> str:
    """Its address."""
    return server.url


@pytest.fixture
def quiet(page: Page) -> Iterator[Callable[[], None]]:
    """Fail when the browser's console has an error of ours."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield lambda: None
    assert errors == []


def test_a_newcomer_reaches_the_confusion_matrix_in_two_clicks(page: Page, url: str, quiet: object) -> None:
    page.goto(url)
    press(page, "open_demo")
    follow(page, page.get_by_role("link", name="Which type is each cell?"), to="annotate")
    keyed(page, "confusion").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("Macro-F1").first).to_be_visible()
    expect(page.get_by_text("logistic regression", exact=False).first).to_be_visible()
    box = keyed(page, "confusion").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the confusion matrix must be seen without scrolling"
    picture(page, "annotate")
    for tab in ("Types", "Learning", "Cells"):
        page.get_by_role("tab", name=tab, exact=True).click()
        settled(page)
        picture(page, f"annotate-{tab.lower()}")


def test_the_same_request_is_answered_from_the_finished_run(page: Page, url: str) -> None:
    page.goto(f"{url}/annotate")
    press(page, "run")
    page.get_by_text("Answered from the finished run").wait_for(timeout=SLOW)


def test_the_results_go_into_a_copy_of_the_file(page: Page, url: str) -> None:
    page.goto(f"{url}/annotate")
    page.get_by_role("tab", name="Cells").click()
    press(page, "export")
    button = keyed(page, "export_download", "button")
    button.wait_for(timeout=SLOW)
    with page.expect_download() as download:
        button.click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89HDF")
    page.get_by_role("tab", name="Confusion").click()
    for kind, start in {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}.items():
        with page.expect_download() as download:
            press(page, f"confusion_{kind}")
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_the_map_is_drawn_colored_circled_and_named(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/explore?maps=overview")
    map_drawn_within(page, "map_overview", SLOW)
    settled(page)
    expect(page.get_by_text("clusters among 700 cells", exact=False).first).to_be_visible()
    picture(page, "explore-first-map")
    page.goto(f"{url}/explore")  # the model's map came with the demo cells
    before = map_drawn_within(page, "map_model", SLOW)
    map_drawn(page, "map_pca")
    box = keyed(page, "map_model", ".scviz-map").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the maps must be seen without scrolling"
    picture(page, "explore")
    choose(page, "color_by", "A gene")
    type_gene(page, "cd3d")
    map_drawn(page, "map_model", after=before)
    settled(page)
    picture(page, "explore-gene")
    lasso(page, [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)], key="map_model")
    page.get_by_text("700 cells selected").first.wait_for()
    assert selected(page, "map_model") == selected(page, "map_pca") == 700
    keyed(page, "group_name", "input").fill("everything")
    press(page, "name_it")
    page.get_by_text("everything: 700 cells").wait_for()
    picture(page, "explore-selection")
    choose(page, "color_by", "My named groups")
    settled(page)
    press(page, "group_delete")
    page.get_by_text("everything: 700 cells").wait_for(state="hidden")


def test_a_selection_outlives_every_kind_of_coloring(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/explore")
    map_drawn_within(page, "map_model", SLOW)
    map_drawn(page, "map_pca")
    settled(page)
    lasso(page, [(0.05, 0.05), (0.55, 0.05), (0.55, 0.95), (0.05, 0.95)], key="map_model")
    page.get_by_text(re.compile(r"^\d+ cells selected$")).first.wait_for()
    n = selected(page, "map_model")
    assert 0 < n < 700
    drawn = map_drawn(page, "map_model")
    for kind in ("A gene", "n_genes", "louvain", "bulk_labels", "phase", "Nothing"):
        choose(page, "color_by", kind)
        if kind == "A gene":
            type_gene(page, "no such gene")
            page.get_by_text("No gene of this dataset is called").wait_for()
            type_gene(page, "lyz")
        drawn = map_drawn(page, "map_model", after=drawn)
        settled(page)
        assert (selected(page, "map_model"), selected(page, "map_pca")) == (n, n), kind
        expect(page.get_by_text(f"{n} cells selected", exact=True).first).to_be_visible()


def test_a_gene_is_knocked_out_in_monocytes_beside_random_genes(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/in_silico")
    settled(page)
    choose(page, "cells_from", "bulk_labels")
    settled(page)
    choose_many(page, "cells_values_bulk_labels", "CD14+ Monocyte")
    choose_many(page, "genes", "FTL", starts=True)
    press(page, "run")
    keyed(page, "arrows", ".js-plotly-plot").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("Removing FTL moves", exact=False).first).to_be_visible()
    expect(page.get_by_text("not a measurement", exact=False).first).to_be_visible()
    box = keyed(page, "arrows").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the arrows must be seen without scrolling"
    picture(page, "in-silico")
    for tab in ("Types", "Real perturbation", "Cells"):
        page.get_by_role("tab", name=tab, exact=True).click()
        settled(page)
        picture(page, f"in-silico-{tab.split()[0].lower()}")
    page.get_by_role("tab", name="Map").click()
    for kind, start in {"svg": b"<?xml", "png": b"\x89PNG"}.items():
        with page.expect_download() as download:
            press(page, f"arrows_{kind}")
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_a_gene_is_edited_in_200_of_all_cells(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/in_silico")
    settled(page)
    choose(page, "cells_from", "all cells")
    settled(page)
    choose_gene(page, "CST3")
    for kind, verb in {"Knock out": "Removing", "Inhibit": "Inhibiting"}.items():
        choose(page, "in_silico_kind", kind)
        settled(page)
        press(page, "run")
        page.get_by_text(f"{verb} CST3 moves", exact=False).first.wait_for(timeout=SLOW)
        keyed(page, "arrows", ".js-plotly-plot").wait_for()
        settled(page)
        expect(page.get_by_text("200 of 700 chosen cells were drawn", exact=False).first).to_be_visible()
        picture(page, f"in-silico-{verb.lower()}")
    expect(page.get_by_text("did not evaluate such edits", exact=False).first).to_be_visible()


def test_a_sweep_towards_a_goal_is_ranked(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/in_silico")
    settled(page)
    choose(page, "cells_from", "bulk_labels")
    settled(page)
    choose_many(page, "cells_values_bulk_labels", "CD14+ Monocyte")
    choose(page, "scope", "One by one")
    for gene in ("FTL", "CST3", "AIF1"):
        choose_many(page, "genes", gene, starts=True)
    choose(page, "goal_column", "bulk_labels")
    choose(page, "goal_value", "Dendritic")
    press(page, "run")
    keyed(page, "ranking_csv", "button").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("3 genes were edited", exact=False).first).to_be_visible()
    picture(page, "in-silico-sweep")
    page.get_by_role("tab", name="Random genes").click()
    settled(page)
    picture(page, "in-silico-sweep-genes")


def map_drawn_within(page: Page, key: str, patience: int) -> str:
    keyed(page, key, ".scviz-map[data-drawn]").wait_for(timeout=patience)
    return map_drawn(page, key)


def test_what_tells_a_type_apart_is_held_against_gene_sets(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/enrich?column=bulk_labels&group=Dendritic")
    press(page, "run")
    keyed(page, "bars").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("First: Antigen presentation, MHC class II")).to_be_visible()
    expect(page.get_by_text("expression-matched random genes").first).to_be_visible()
    assert "run=" in page.url
    picture(page, "enrich")
    page.get_by_role("tab", name="Shares").click()
    keyed(page, "dots").wait_for()
    with page.expect_download() as download:
        press(page, "dots_svg")
    assert Path(download.value.path()).read_bytes().startswith(b"<?xml")


def test_four_models_and_the_baseline_are_compared_on_linked_maps(
    page: Page, url: str, quiet: object
) -> None:
    page.goto(f"{url}/compare")
    for name in (
        "Geneformer, small blood model",
        "scBERT, small blood model",
        "scFoundation, small blood model",
        "scGPT, small blood model",
    ):
        expect(keyed(page, "compare_checkpoints")).to_contain_text(name)
    press(page, "run")
    map_drawn_within(page, "map_0", SLOW)
    maps = [f"map_{i}" for i in range(5)]
    for key in maps[1:]:
        map_drawn(page, key)
    page.get_by_text("comparisons of 4 models with principal components").wait_for()
    picture(page, "compare")
    choose(page, "color_by", "Where methods disagree")
    settled(page)
    stage(page, "map_4").scroll_into_view_if_needed()
    picture(page, "compare-disagreement")
    lasso(page, [(0.1, 0.1), (0.6, 0.1), (0.6, 0.6), (0.1, 0.6)], key="map_4")
    page.get_by_text("of all cells.").wait_for()
    (n,) = {selected(page, key) for key in maps}
    assert 0 < n < 700
    picture(page, "compare-selection")
    keyed(page, "overlap").scroll_into_view_if_needed()
    picture(page, "compare-overlap")


def test_nothing_is_lost_when_the_page_reloads_and_the_worker_is_killed(page: Page, url: str) -> None:
    page.goto(f"{url}/annotate")
    choose(page, "annotation_mode", "Full fine-tuning")
    settled(page)
    page.get_by_text("Advanced", exact=True).click()
    keyed(page, "annotation_epochs", "input").fill("3")
    page.keyboard.press("Enter")
    settled(page)
    press(page, "run")
    page.get_by_text("Training · ", exact=False).first.wait_for(timeout=SLOW)
    page.reload()
    page.get_by_text("Training · ", exact=False).first.wait_for(timeout=SLOW)
    keyed(page, "loss_curve").wait_for(timeout=SLOW)
    picture(page, "annotate-running")
    (run,) = parse_qs(urlparse(page.url).query)["run"]
    (worker,) = workers_of(run)
    worker.kill()
    page.get_by_text("Interrupted.").wait_for(timeout=SLOW)
    picture(page, "annotate-interrupted")
    press(page, "job_resume")
    keyed(page, "confusion").wait_for(timeout=SLOW)
    page.get_by_role("tab", name="Learning").click()
    page.get_by_text("of 3 were kept", exact=False).wait_for()


def test_a_run_is_stopped_and_seen_among_the_runs(page: Page, url: str) -> None:
    page.goto(f"{url}/annotate")
    choose(page, "annotation_mode", "Full fine-tuning")
    settled(page)
    page.get_by_text("Advanced", exact=True).click()
    keyed(page, "annotation_epochs", "input").fill("9")  # a question that no finished run answers
    page.keyboard.press("Enter")
    settled(page)
    press(page, "run")
    page.get_by_text("Training · ", exact=False).first.wait_for(timeout=SLOW)
    press(page, "job_stop")
    page.get_by_text("Stopped.").wait_for(timeout=SLOW)
    page.goto(f"{url}/runs")
    settled(page)
    keyed(page, "runs_table", "canvas").first.wait_for()
    picture(page, "runs")


def test_a_model_learns_from_the_cells_and_its_weights_are_used(page: Page, url: str, quiet: object) -> None:
    page.goto(f"{url}/data")
    press(page, "open_demo")
    keyed(page, "pick_dataset").wait_for(timeout=SLOW)
    page.goto(f"{url}/pretrain?model=scgpt")
    settled(page)
    choose(page, "pretraining_configuration_scgpt", "tiny · 2 layers of width 32")
    settled(page)
    keyed(page, "pretraining_epochs", "input").fill("2")
    page.keyboard.press("Enter")
    settled(page)
    picture(page, "pretrain-choose")
    press(page, "run")
    keyed(page, "loss_curve").wait_for(timeout=SLOW)
    picture(page, "pretrain-running")
    keyed(page, "pretraining_curve", ".js-plotly-plot").wait_for(timeout=SLOW)
    expect(page.get_by_text("the frequency baseline", exact=False).first).to_be_visible()
    expect(page.get_by_text("2 of 2").or_(page.get_by_text("1 of 2")).first).to_be_visible()
    settled(page)
    picture(page, "pretrain")
    press(page, "use_weights")
    used = keyed(page, "pick_checkpoint", "input")
    expect(used).to_have_value("scGPT on PBMC demo (700 cells)")
    expect(keyed(page, "use_weights", "button")).to_be_disabled()
    keyed(page, "new_weights").scroll_into_view_if_needed()
    settled(page)
    picture(page, "pretrain-used")
    follow(page, keyed(page, "new_weights").get_by_role("link", name="Annotate"), to="annotate")
    expect(page.get_by_role("heading", name="Annotate")).to_be_visible()
    expect(used).to_have_value("scGPT on PBMC demo (700 cells)")


def test_a_file_of_ones_own_is_checked_and_opened(page: Page, url: str, home: Path, adata: AnnData) -> None:
    (home / "data").mkdir(exist_ok=True, parents=True)
    adata.write_h5ad(home / "data" / "my cells.h5ad")
    page.goto(f"{url}/data")
    choose(page, "server_file", "my cells.h5ad")
    page.get_by_text("Counts in", exact=True).first.wait_for()
    settled(page)
    picture(page, "data-card")
    press(page, "open_file")
    expect(keyed(page, "pick_dataset", "input")).to_have_value("my cells · 60 cells", timeout=SLOW)
    picture(page, "data")


def test_an_upload_is_checked_and_a_bad_one_is_a_sentence(
    page: Page, url: str, tmp_path: Path, adata: AnnData
) -> None:
    (tmp_path / "bad.h5ad").write_bytes(b"\x00\x01\x02")
    page.goto(f"{url}/data")
    upload(page, tmp_path / "bad.h5ad")
    refused = keyed(page, "check_panel", "[data-testid=stAlert]")
    expect(refused).to_contain_text("of no format known here", timeout=SLOW)
    assert "Traceback" not in page.locator("[data-testid=stMain]").inner_text()
    picture(page, "data-refused")
    adata.write_h5ad(tmp_path / "good.h5ad")
    upload(page, tmp_path / "good.h5ad")
    keyed(page, "open_file", "button").wait_for()


def test_the_web_process_has_never_loaded_torch(server: Server) -> None:
    loaded = {Path(entry.path).name for entry in psutil.Process(server.pid).memory_maps()}
    assert any(name.startswith("libpython") or "_multiarray" in name for name in loaded)
    assert not [name for name in loaded if "torch" in name or "numba" in name or "llvm" in name]
