"""The Data page: simulated and published screens and terms of genes, none of them without a press."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.public_screens import PUBLIC_SCREENS
from scviz.datasets.simulated import simulation
from scviz.datasets.simulator import open_simulated
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from tests.conftest import Opened
from tests.pages.test_pages import PAGES, Open, visit, words  # noqa: F401 - visit is a fixture

WITH_PICKERS = [script for script in PAGES if script != "pages/runs.py"]


@pytest.fixture
def simulated(workspace: Workspace, tmp_path: Path) -> str:
    """A simulated screen that is open."""
    return open_simulated(simulation("tiny"), workspace, tmp_path).id


def runs() -> list[Run]:
    return RunQueue(Settings.from_env()).database.runs()


def test_a_simulated_screen_is_asked_for_with_its_size_and_seed(visit: Open) -> None:  # noqa: F811
    page = visit("pages/data.py")
    assert page.selectbox(key="simulated_preset").value == "demo"
    page.selectbox(key="simulated_preset").set_value("tiny")
    page.number_input(key="simulated_seed").set_value(4).run()
    assert runs() == []
    page.button(key="open_simulated").click().run()
    assert not page.exception
    (run,) = runs()
    assert run.task == "opening"
    assert (run.request["simulated"], run.request["seed"]) == ("tiny", 4)


@pytest.mark.parametrize("script", WITH_PICKERS)
def test_every_page_with_a_dataset_says_that_it_is_simulated(
    visit: Open,  # noqa: F811
    simulated: str,
    script: str,
) -> None:
    page = visit(script, dataset=simulated)
    assert not page.exception
    assert "simulated" in page.selectbox(key="pick_dataset").label


def test_measured_cells_have_no_such_mark(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/data.py", dataset=opened.dataset)
    assert page.selectbox(key="pick_dataset").label == "Dataset"
    assert "These cells are simulated" not in words(page)


def test_the_card_of_a_simulated_screen_says_what_it_was_made_of(
    visit: Open,  # noqa: F811
    simulated: str,
) -> None:
    page = visit("pages/data.py", dataset=simulated)
    assert "These cells are simulated" in words(page)
    assert "Terms of the simulated screen" in words(page)


def test_published_screens_are_listed_with_where_they_come_from_and_nothing_is_fetched(
    visit: Open,  # noqa: F811
) -> None:
    page = visit("pages/data.py")
    said = words(page)
    for name, screen in PUBLIC_SCREENS.items():
        assert screen.title in said
        assert str(screen.file.id) in said
        assert page.button(key=f"download_{name}")
    assert "terms there and those of the original study hold" in said
    assert runs() == []


def test_a_press_asks_for_the_screen(visit: Open) -> None:  # noqa: F811
    page = visit("pages/data.py")
    page.button(key="download_norman").click().run()
    assert not page.exception
    (run,) = runs()
    assert (run.task, run.request) == ("public_screen", {"screen": "norman"})
    assert "in the queue" in page.get("progress")[0].proto.text


def test_terms_are_listed_and_the_published_ones_asked_for(
    visit: Open,  # noqa: F811
    workspace: Workspace,
) -> None:
    keep_terms({"KLF1": {"a", "b"}}, workspace, name="Mine", source="from the file mine.gmt")
    page = visit("pages/data.py")
    assert "**Mine** · 1 genes, 2 terms" in words(page)
    page.button(key="download_terms").click().run()
    assert not page.exception
    (run,) = runs()
    assert (run.task, run.request["download"]) == ("gene_terms", True)


def test_a_file_of_terms_is_taken_from_the_data_folders_alone(
    visit: Open,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.gmt").write_text("GO:1\t\tKLF1\n", encoding="utf-8")
    page = visit("pages/data.py")
    page.text_input(key="terms_path").set_value("/etc/hosts").run()
    page.button(key="add_terms").click().run()
    assert "outside the folders that may be opened" in page.error[0].value
    assert runs() == []
    page.text_input(key="terms_path").set_value(str(tmp_path / "mine.gmt")).run()
    page.button(key="add_terms").click().run()
    (run,) = runs()
    assert run.request["path"] == str((tmp_path / "mine.gmt").resolve())


def test_the_list_of_runs_names_downloads_and_terms(visit: Open) -> None:  # noqa: F811
    page = visit("pages/data.py")
    page.button(key="download_dixit").click().run()
    page.button(key="download_terms").click().run()
    page = visit("pages/runs.py")
    page.toggle(key="show_small").set_value(True).run()
    assert not page.exception
    assert set(page.dataframe[0].value["What"]) == {"Download a screen", "Add gene terms"}
    for run in runs():
        shown = visit("pages/runs.py", run=run.id)
        shown.toggle(key="show_small").set_value(True).run()
        assert not shown.exception
