"""The Models page: weights are downloaded only by those who accept, and folders are offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit, words  # noqa: F401 - visit is a fixture

KEY = "geneformer_Geneformer-V2-104M"


def tasks() -> list[str]:
    return [run.task for run in RunQueue(Settings.from_env()).database.runs()]


def test_the_button_comes_with_the_tick_and_nothing_starts_without_the_press(visit: Open) -> None:  # noqa: F811
    page = visit("pages/models.py")
    assert not any(button.key.startswith("download_") for button in page.button)
    tick = page.checkbox(key=f"accept_{KEY}")
    assert tick.label.startswith("I have read the license")
    tick.check().run()
    assert tasks() == []
    page.button(key=f"download_{KEY}").click().run()
    assert not page.exception
    (run,) = RunQueue(Settings.from_env()).database.runs()
    assert run.task == "downloading"
    assert run.request["released"] == "Geneformer-V2-104M"


def test_scfoundation_asks_for_its_own_words_and_for_the_list_of_genes(visit: Open) -> None:  # noqa: F811
    page = visit("pages/models.py")
    tick = page.checkbox(key="accept_scfoundation_models.ckpt")
    assert "research only" in tick.label
    tick.check().run()
    page.button(key="download_scfoundation_models.ckpt").click().run()
    assert "lacks" in page.error[0].value
    assert tasks() == []


def test_weights_without_a_repository_have_steps_and_no_button(visit: Open) -> None:  # noqa: F811
    page = visit("pages/models.py")
    assert "by hand only" in words(page)
    assert "1oWh\\_-ZRdhtoGQ2Fw24HP41FgLoomVo-y" in words(page)
    assert not any("scgpt" in (tick.key or "") for tick in page.checkbox)


def test_a_folder_that_looks_like_weights_is_added_with_one_press(
    visit: Open,  # noqa: F811
    opened: Opened,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in opened.workspace.checkpoint_folder(opened.checkpoint).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    page = visit("pages/models.py")
    (key,) = [button.key for button in page.button if button.key.startswith("found_")]
    assert key == f"found_{folder.resolve()}"
    page.button(key=key).click().run()
    (run,) = RunQueue(Settings.from_env()).database.runs()
    assert run.request == {"model": "geneformer", "folder": str(folder.resolve()), "name": "mine"}


@pytest.mark.parametrize("name", ["mine", "yours"])
def test_a_folder_outside_is_refused_in_words(visit: Open, name: str) -> None:  # noqa: F811
    page = visit("pages/models.py")
    page.text_input(key="folder_scgpt").set_value(f"/{name}")
    page.button(key="submit_scgpt").click().run()
    assert "outside the folders that may be opened" in page.error[0].value
