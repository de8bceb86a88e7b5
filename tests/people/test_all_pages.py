"""Every page as another person meets it, with every id of hers in the address: nothing of hers is drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from scipy.sparse import csr_matrix
from streamlit.testing.v1 import AppTest

from pages.components.frame import PAGES
from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.models.geneformer.model import Geneformer
from scviz.progress import silent
from scviz.settings import ROOT, Settings
from scviz.tasks import back, embedding, front
from scviz.tasks.context import Context
from scviz.workspace import Workspace
from scviz.workspace.admission import admit
from scviz.workspace.database import Run
from scviz.workspace.groups import name_group
from scviz.workspace.packed_rows import pack_rows
from scviz.workspace.people import claim, remember_person, share
from scviz.workspace.records import write_record
from scviz.workspace.selections import keep_selection
from scviz.workspace.store import write_checkpoint_info
from tests.conftest import Opened, keep_model

SECRET = "Adassecret"
CLAIMS = {
    name: {
        "iss": "https://id.example",
        "sub": name,
        "email": f"{name}@lab.org",
        "email_verified": True,
        "is_logged_in": True,
    }
    for name in ("ada", "ben", "eva")
}
ALLOW = ("@lab.org", "eva@lab.org=viewer")


@dataclass(frozen=True)
class Server:
    """A server on which Ada has one of everything and Ben has cells of his own."""

    queue: RunQueue
    link: Mapping[str, str]
    """An address of Ada's, without the page."""

    def visit(self, script: str, who: str, **more: str) -> AppTest:
        """Open a page as somebody, by the address."""
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        page.user = dict(CLAIMS[who])
        page.query_params.update({**self.link, **more})
        if script != "app.py":
            page.switch_page(script)
        return page.run()


def cells(word: str) -> anndata.AnnData:
    """60 cells x 200 genes whose names and labels hold a word."""
    rng = np.random.default_rng(0)
    counts = csr_matrix(rng.poisson(2.0, (60, 200)).astype(np.float32))
    types = pd.Categorical([f"{word} {'TB'[i % 2]} cell" for i in range(60)])
    obs = pd.DataFrame({"cell_type": types}, index=[f"{word}-{i}" for i in range(60)])
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(200)])
    return anndata.AnnData(X=counts, obs=obs, var=var)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start with both, and with what Ada has found."""
    folder = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCVIZ_HOME", str(folder / "home"))
        patch.setenv("SCVIZ_LOGIN", "on")
        patch.setenv("SCVIZ_ALLOW", ",".join(ALLOW))
        patch.setattr(RunQueue, "_hand_in", lambda *_: None)
        patch.setattr(RunQueue, "warm_up", lambda _: None)
        st.cache_resource.clear()
        st.cache_data.clear()
        yield _with_things(folder)
        st.cache_resource.clear()
        st.cache_data.clear()


def _with_things(folder: Path) -> Server:
    queue = RunQueue(Settings.from_env())
    home = queue.workspace.home
    people = {name: admit(said, ALLOW).person for name, said in CLAIMS.items()}
    for person in people.values():
        remember_person(home, person)
    ada, ben = (queue.workspace.of(people[name]) for name in ("ada", "ben"))
    dataset, _ = (_opened(place, word) for place, word in ((ada, SECRET), (ben, "Bens")))
    opened = keep_model(Opened(queue.workspace, dataset, ""), Geneformer.untrained(cells(SECRET), "tiny"))
    weights = queue.workspace.checkpoint_folder(opened.checkpoint)
    info = queue.workspace.checkpoint(opened.checkpoint)
    write_checkpoint_info(replace(info, name=f"{SECRET} weights", description=SECRET), weights)
    claim(people["ada"], weights)
    keep_terms({"GENE1": [SECRET]}, ada, name=f"{SECRET} terms", source=SECRET)
    name_group(ada.dataset_folder(dataset), f"{SECRET} group", np.arange(9), by=SECRET)
    selection = keep_selection(ada.dataset_folder(dataset), pack_rows(np.arange(9)))
    share(people["ada"], ada.dataset_folder(dataset), ["eva@lab.org"])
    run = _found(queue, people["ada"], opened)
    for page in PAGES.values():
        if page.task:
            _failed(queue, page.task, people["ada"].id, opened)
    asked = json.dumps(
        {"dataset": dataset, "run": run, "checkpoint": opened.checkpoint, "reference": dataset}
    )
    return Server(
        queue,
        {
            "dataset": dataset,
            "checkpoint": opened.checkpoint,
            "run": run,
            "ask": asked,
            "selection": selection,
            "from_run": run,
            "color": f"clusters:{run}",
        },
    )


def _opened(place: Workspace, word: str) -> str:
    """Cells that somebody has uploaded and opened."""
    upload = place.new_upload(f"of-{word}") / f"{word}.h5ad"
    cells(word).write_h5ad(upload)
    return open_file(upload, place, name=f"{word} cells").id


def _found(queue: RunQueue, ada: Any, opened: Opened) -> str:
    """A finished map of Ada's."""
    request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint)
    run = OwnRuns(queue, ada).submit("embedding", request).run
    place = queue.workspace.for_run(run)
    context = Context(workspace=place, report=silent, folder=place.run_folder(run))
    write_record(back("embedding").run(request, context), context.result)
    queue.database.update(run, state="done", started=1.0, ended=9.0, note=SECRET)
    return run


def _failed(queue: RunQueue, task: str, owner: str, opened: Opened) -> None:
    row = Run(
        id=f"failed-{task}",
        task=task,
        title=front(task).TITLE,
        request={"dataset": opened.dataset, "checkpoint": opened.checkpoint, "name": SECRET},
        owner=owner,
        state="failed",
        message=SECRET,
        created=2.0,
        ended=3.0,
    )
    queue.database.add(row)


def everything(page: AppTest) -> str:
    """All that a browser would be sent."""
    texts, waiting = [], [page._tree]
    while waiting:
        node = waiting.pop()
        waiting += list(getattr(node, "children", {}).values())
        texts.append(str(getattr(node, "proto", "")))
    return "\n".join(texts)


SCRIPTS = {page.file: page for page in PAGES.values()}


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_she_sees_by_her_link_another_does_not(server: Server, script: str) -> None:
    hers = server.visit(script, "ada")  # first, so that whatever is kept for later is hers
    assert not hers.exception, script
    if script != "pages/runs.py":
        assert SECRET in everything(hers)
    task = SCRIPTS[script].task
    his = server.visit(script, "ben", run=f"failed-{task}" if task else server.link["run"])
    assert not his.exception, script
    assert SECRET not in everything(his)
    assert "Bens cells" in everything(his) or script == "pages/runs.py"


@pytest.mark.parametrize("script", SCRIPTS)
def test_who_may_look_only_sees_what_is_shared_and_is_told_why_she_may_no_more(
    server: Server, script: str
) -> None:
    page = server.visit(script, "eva")
    assert not page.exception
    assert f"{SECRET} cells" in everything(page) or script == "pages/runs.py"
    for key in ("open_demo", "run"):
        for button in [one for one in page.button if one.key == key and not one.disabled]:
            button.click().run()
            assert not page.exception
            assert any("look" in one.value for one in page.error)


def test_who_has_not_logged_in_sees_nothing_at_all(server: Server) -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    page.query_params.update(server.link)
    page.run()
    assert [button.key for button in page.button] == ["login"]
    assert SECRET not in everything(page)


def test_what_she_shares_by_a_press_he_sees_by_her_link(server: Server) -> None:
    page = server.visit("pages/explore.py", "ada")
    page.text_input(key="share_with").set_value("Ben@lab.org").run()
    page.button(key="share_now").click().run()
    assert not page.exception
    his = server.visit("pages/explore.py", "ben")
    assert not his.exception
    assert f"{SECRET} cells" in everything(his)
    page.button(key="share_no_more").click().run()
    assert not page.exception
    assert SECRET not in everything(server.visit("pages/explore.py", "ben"))
