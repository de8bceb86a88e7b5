"""Explore in all its states: the first map by itself, the file's own, those of models, and one to four of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from pages.components import first_map
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import embedding, overview
from scviz.workspace.database import Run
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words  # noqa: F401 - visit is a fixture

EXPLORE = "pages/explore.py"


def first_maps() -> list[Run]:
    return [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "overview"]


def drawn(opened: Opened) -> str:
    """The first map of the dataset, finished."""
    return carry_out(opened, "overview", overview.Request(dataset=opened.dataset, n_neighbors=8))


def modeled(opened: Opened) -> str:
    """A model's map of the dataset, finished."""
    asked = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8)
    return carry_out(opened, "embedding", asked)


def with_own_map(opened: Opened, adata: AnnData, tmp_path: Path) -> Opened:
    """The same cells, whose file has brought a map that lacks one cell."""
    adata.obsm["X_umap"] = np.random.default_rng(0).normal(size=(60, 2))
    adata.obsm["X_umap"][7] = np.nan
    adata.write_h5ad(tmp_path / "own.h5ad")
    return replace(opened, dataset=open_file(tmp_path / "own.h5ad", opened.workspace).id)


def shown(page: AppTest) -> list[str]:
    """Names of the maps that are chosen."""
    assert not page.exception
    assert not page.error
    (box,) = [one for one in page.multiselect if one.key == "maps"]
    return list(box.value)


def test_nothing_open_says_what_to_do(visit: Open) -> None:  # noqa: F811
    page = visit(EXPLORE)
    assert "Open a dataset on the Data page first" in page.info[0].value
    assert first_maps() == []


def test_the_first_map_is_handed_in_once_by_itself(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit(EXPLORE, dataset=opened.dataset)
    page.run()
    assert not page.exception
    (run,) = first_maps()
    assert run.request == to_json(overview.Request(dataset=opened.dataset))
    assert "First map of these cells: Waiting for its turn" in page.get("progress")[0].proto.text
    assert not page.multiselect


def test_the_first_map_is_there_without_a_press_and_without_a_model(visit: Open, opened: Opened) -> None:  # noqa: F811
    run = drawn(opened)
    page = visit(EXPLORE, dataset=opened.dataset)
    assert shown(page) == ["overview"]
    assert "3 clusters among 60 cells at resolution 1" in words(page)
    assert [one.id for one in first_maps()] == [run]
    assert page.selectbox(key="color_by").value == "cell_type"
    page.selectbox(key="color_by").set_value("Clusters").run()
    assert not page.exception
    assert page.query_params["color"] in ("Clusters", ["Clusters"])
    page.number_input(key="overview_resolution").set_value(2.0).run()
    page.button(key="draw_first_map").click().run()
    assert not page.exception
    assert [one.request["resolution"] for one in first_maps() if one.state == "queued"] == [2.0]
    assert shown(page) == ["overview"]


def test_the_own_map_of_a_file_is_there_at_once(
    visit: Open,  # noqa: F811
    opened: Opened,
    adata: AnnData,
    tmp_path: Path,
) -> None:
    own = with_own_map(opened, adata, tmp_path)
    page = visit(EXPLORE, dataset=own.dataset)
    assert shown(page) == ["X_umap"]
    assert "1 of 60 cells have no place on all of these maps" in words(page)
    assert "First map of these cells" in page.get("progress")[0].proto.text
    drawn(own)
    page = visit(EXPLORE, dataset=own.dataset)
    assert shown(page) == ["overview"]
    page = visit(EXPLORE, dataset=own.dataset, maps="X_umap,components")
    assert shown(page) == ["X_umap", "components"]


def test_four_maps_stand_in_the_address(
    visit: Open,  # noqa: F811
    opened: Opened,
    adata: AnnData,
    tmp_path: Path,
) -> None:
    own = with_own_map(opened, adata, tmp_path)
    drawn(own)
    run = modeled(own)
    page = visit(EXPLORE, dataset=own.dataset, checkpoint=own.checkpoint)
    assert shown(page) == [run, f"{run}-baseline"]
    assert "By cell\\_type\\: " in words(page)
    four = ["overview", "X_umap", run, f"{run}-baseline"]
    page.multiselect(key="maps").set_value(four).run()
    assert shown(page) == four
    asked = page.query_params["maps"]
    linked = visit(
        EXPLORE,
        dataset=own.dataset,
        checkpoint=own.checkpoint,
        maps=asked if isinstance(asked, str) else asked[0],
        color="gene:gene7",
    )
    assert shown(linked) == four
    assert linked.selectbox(key="color_by").value == "A gene"
    assert linked.session_state["gene"] == "gene7"
    page = visit(EXPLORE, dataset=own.dataset, checkpoint=own.checkpoint, maps="gone,X_nothing")
    assert shown(page) == [run, f"{run}-baseline"]


def test_a_first_map_that_failed_says_why_and_is_not_tried_by_itself(visit: Open, opened: Opened) -> None:  # noqa: F811
    asked = {"dataset": opened.dataset}
    failed = Run(id="failed", task="overview", request=asked, state="failed", message="The disk is full.")
    opened.workspace.run_folder("failed").mkdir(parents=True)
    RunQueue(Settings.from_env()).database.add(failed)
    page = visit(EXPLORE, dataset=opened.dataset)
    assert not page.exception
    assert "**First map: failed.** The disk is full" in words(page)
    assert [run.id for run in first_maps()] == ["failed"]
    page.button(key="first_map_draw").click().run()
    assert [run.state for run in first_maps()] == ["queued"]


def test_many_cells_wait_for_a_press(
    visit: Open,  # noqa: F811
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(first_map, "MOST_CELLS", 50)
    page = visit(EXPLORE, dataset=opened.dataset)
    assert "The first map of 60 cells takes minutes" in words(page)
    assert first_maps() == []
    page.button(key="first_map_draw").click().run()
    assert [run.state for run in first_maps()] == ["queued"]


def test_three_cells_are_a_sentence(visit: Open, opened: Opened, adata: AnnData, tmp_path: Path) -> None:  # noqa: F811
    adata[:3].copy().write_h5ad(tmp_path / "few.h5ad")
    few = open_file(tmp_path / "few.h5ad", opened.workspace).id
    page = visit(EXPLORE, dataset=few)
    assert not page.exception
    assert "A map takes 5 cells or more; this dataset has 3" in words(page)
    assert first_maps() == []


def test_cells_without_labels_are_colored_by_clusters(
    visit: Open,  # noqa: F811
    opened: Opened,
    adata: AnnData,
    tmp_path: Path,
) -> None:
    adata.obs = adata.obs[[]]
    adata.write_h5ad(tmp_path / "bare.h5ad")
    bare = replace(opened, dataset=open_file(tmp_path / "bare.h5ad", opened.workspace).id)
    drawn(bare)
    page = visit(EXPLORE, dataset=bare.dataset)
    assert shown(page) == ["overview"]
    assert page.selectbox(key="color_by").value == "Clusters"
