"""The Data page: of several files, that which was chosen last, with its own answers."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from scviz.datasets.expression import log_expression
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import back, checking, opening
from scviz.workspace.database import Run
from scviz.workspace.records import from_json, write_record
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit, words

__all__ = ["visit"]


def runs_of(task: str) -> list[Run]:
    """Runs of a task, the newest first."""
    return [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == task]


def finish(opened: Opened, run: Run) -> None:
    """Carry out here what the page has handed in."""
    front = {"checking": checking, "opening": opening}[run.task]
    context = opened.context(run.id)
    write_record(back(run.task).run(from_json(front.Request, run.request), context), context.result)
    RunQueue(Settings.from_env()).database.update(run.id, state="done", started=1.0, ended=9.0)


def looked_at(page: AppTest, opened: Opened, path: Path) -> AppTest:
    """The page with the card of a file of the server."""
    page.selectbox(key="server_file").set_value(str(path)).run()
    for run in runs_of("checking"):
        if run.state == "queued" and run.request["path"] == str(path):
            finish(opened, run)
    return page.run()


def test_a_file_chosen_after_an_upload_is_shown_and_an_upload_after_that(
    visit: Open, opened: Opened, tmp_path: Path
) -> None:
    page = visit("pages/data.py")
    page.file_uploader[0].set_value(("broken.h5ad", b"nothing", "")).run()
    assert Path(runs_of("checking")[0].request["path"]).name == "broken.h5ad"
    looked_at(page, opened, tmp_path / "cells.h5ad")
    assert "cells" in [one.value for one in page.subheader]
    page.file_uploader[0].set_value(("other.h5ad", b"nothing", "")).run()
    assert "cells" not in [one.value for one in page.subheader]
    page.file_uploader[0].clear().run()
    assert "cells" in [one.value for one in page.subheader]


def test_several_files_are_said_to_be_read_as_one_dataset(visit: Open) -> None:
    page = visit("pages/data.py")
    page.file_uploader[0].set_value([("broken.h5ad", b"nothing", ""), ("good.h5ad", b"nothing", "")]).run()
    assert "These 2 files are read as one dataset" in words(page)


def test_a_path_that_is_refused_leaves_the_other_ways_in(visit: Open, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "link.h5ad").symlink_to(os.devnull)
    page = visit("pages/data.py")
    page.selectbox(key="server_file").set_value(str(tmp_path / "link.h5ad")).run()
    assert "outside the folders" in page.error[0].value
    assert page.file_uploader
    assert page.text_input(key="fetch_url")
    looked_at(page, opened, tmp_path / "cells.h5ad")
    assert not page.error


def test_what_is_chosen_for_one_file_is_not_taken_for_the_next(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.layers["log"] = log_expression(adata.X)
    for name in ("a", "b"):
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
        adata = adata[:, :150].copy()
    page = visit("pages/data.py")
    looked_at(page, opened, tmp_path / "a.h5ad")
    looked_at(page, opened, tmp_path / "b.h5ad")
    page.selectbox(key="counts_location").set_value("layers/log").run()
    page.text_input(key="dataset_name").set_value("my b").run()
    assert page.text_input(key="dataset_name").value == "my b"
    looked_at(page, opened, tmp_path / "a.h5ad")
    assert page.text_input(key="dataset_name").value == "a"
    assert page.selectbox(key="counts_location").value == "X"


def test_a_file_that_was_turned_leaves_the_next_one_as_it_is(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.var_names = [f"ENSG00000{i:06d}" for i in range(1000, 1000 + adata.n_vars)]
    swapped = AnnData(adata.X.T.tocsr(), obs=adata.var.iloc[:, :0], var=adata.obs.iloc[:, :0])
    swapped.write_h5ad(tmp_path / "swapped.h5ad")
    page = visit("pages/data.py")
    looked_at(page, opened, tmp_path / "swapped.h5ad")
    page.button(key="turn").click().run()
    assert runs_of("checking")[0].request["turned"]
    looked_at(page, opened, tmp_path / "cells.h5ad")
    last = max(runs_of("checking"), key=lambda run: run.created)
    assert last.request["path"] == str(tmp_path / "cells.h5ad")
    assert last.request["turned"] == ""


def test_a_file_chosen_while_another_is_opened_stays_and_a_dataset_chosen_after_it_is_shown(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        adata = adata[:, :150].copy()
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    page = visit("pages/data.py")
    looked_at(page, opened, tmp_path / "a.h5ad")
    page.button(key="open_file").click().run()
    looked_at(page, opened, tmp_path / "b.h5ad")
    finish(opened, runs_of("opening")[0])
    page.run()
    assert page.selectbox(key="pick_dataset").value != opened.dataset
    assert page.text_input(key="dataset_name").value == "b"
    page.selectbox(key="pick_dataset").set_value(opened.dataset).run()
    assert [one.value for one in page.subheader] == [opened.workspace.dataset(opened.dataset).name]


def test_labels_alike_are_told_by_column_and_joined_by_one_press(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.obs["kind"] = pd.Categorical(
        [("NK", "nk", "B  cell", "B cell", "T cell")[i % 5] for i in range(60)]
    )
    adata.write_h5ad(tmp_path / "alike.h5ad")
    found = open_file(tmp_path / "alike.h5ad", opened.workspace)
    page = visit("pages/data.py", dataset=found.id)
    (button,) = [one for one in page.button if (one.key or "").startswith("join_kind")]
    told = "would become 'B cell'; 'NK' \\(12 cells\\), 'nk' \\(12 cells\\) would become 'NK'"
    assert told in words(page)
    button.click().run()
    assert runs_of("mending")[0].request["column"] == "kind"


def test_why_a_file_is_refused_is_said_as_its_name_is_written(
    visit: Open, opened: Opened, tmp_path: Path
) -> None:
    path = tmp_path / "a $1 b $2 *x*.h5ad"
    path.write_bytes(b"nothing")
    page = visit("pages/data.py")
    page.selectbox(key="server_file").set_value(str(path)).run()
    (run,) = runs_of("checking")
    message = f"{path.name} cannot be opened."
    RunQueue(Settings.from_env()).database.update(run.id, state="failed", message=message)
    page.run()
    assert "a \\$1 b \\$2 \\*x\\*.h5ad cannot" in page.error[0].value


def test_an_opening_that_failed_is_told_until_another_file_is_chosen(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.write_h5ad(tmp_path / "a.h5ad")
    page = visit("pages/data.py")
    looked_at(page, opened, tmp_path / "a.h5ad")
    page.button(key="open_file").click().run()
    (run,) = runs_of("opening")
    RunQueue(Settings.from_env()).database.update(run.id, state="failed", message="The disk is full.")
    page.run()
    assert "The disk is full." in page.error[0].value
    looked_at(page, opened, tmp_path / "cells.h5ad")
    assert not page.error


@pytest.mark.parametrize("ended", ["running", "failed"])
def test_several_runs_of_the_page_are_shown_beside_one_another(
    visit: Open, opened: Opened, tmp_path: Path, ended: str
) -> None:
    page = visit("pages/data.py")
    page.text_input(key="fetch_url").set_value("https://example.org/cells.h5ad").run()
    page.button(key="look_up").click().run()
    page.button(key="open_demo").click().run()
    page.selectbox(key="server_file").set_value(str(tmp_path / "cells.h5ad")).run()
    for task in ("fetching", "opening", "checking"):
        RunQueue(Settings.from_env()).database.update(runs_of(task)[0].id, state=ended, message=f"No {task}.")
    page.run()
    assert not page.exception
    assert ended == "running" or {"No fetching", "No checking"} <= {
        one.value.partition("** ")[2].partition(".")[0] for one in page.error
    }
