"""Gene annotations, references and uploads are shared by the same press as datasets, and are there for nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import anndata
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from scviz.datasets.gene_terms import keep_terms, read_terms
from scviz.errors import NotAllowedError, ScvizError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.jobs.worker import execute
from scviz.progress import silent
from scviz.settings import ROOT, Settings
from scviz.tasks import opening
from scviz.workspace import Workspace
from scviz.workspace.admission import admit
from scviz.workspace.dependents import Kind, folder_of, references_of, upload_path, uploads_of
from scviz.workspace.people import EVERYONE, access_of, remember_person

CLAIMS = {
    name: {"iss": "https://id.example", "sub": name, "email": f"{name}@lab.org", "email_verified": True}
    for name in ("ada", "ben", "eve")
}
ADA, BEN, EVE = (admit(claims, ["@lab.org"]).person for claims in CLAIMS.values())
KINDS: tuple[Kind, ...] = ("terms", "reference", "upload")


class Server:
    """A server on which Ada has gene annotations, a reference and an upload."""

    def __init__(self, adata: anndata.AnnData, home: Path) -> None:
        self.queue = RunQueue(Settings.from_env())
        for person in (ADA, BEN, EVE):
            remember_person(home, person)
        hers = self.queue.workspace.of(ADA)
        upload = hers.new_upload("of-ada") / "Adas cells.h5ad"
        adata.write_h5ad(upload)
        terms = keep_terms({"GENE1": ["a"]}, hers, name="Adas terms", source="a test").id
        reference = hers.references / hers.own_name("adas-blood", "0123456789")
        reference.mkdir(parents=True)
        hers.claim(reference)
        (reference / "reference.json").write_text(json.dumps({"name": "Adas blood"}))
        self.ids: Mapping[Kind, str] = {"terms": terms, "reference": reference.name, "upload": "of-ada"}

    def listed(self, person: object) -> set[str]:
        """What the lists of somebody name, of all three kinds."""
        place: Workspace = self.queue.workspace.of(person)  # type: ignore[arg-type]
        return {*(info.id for info in place.terms()), *references_of(place), *uploads_of(place)}


@pytest.fixture
def server(
    adata: anndata.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_engine: None
) -> Server:
    for name, value in {"HOME": str(tmp_path / "home"), "LOGIN": "on", "ALLOW": "@lab.org"}.items():
        monkeypatch.setenv(f"SCVIZ_{name}", value)
    st.cache_resource.clear()
    return Server(adata, tmp_path / "home")


@pytest.fixture
def visit(server: Server) -> Callable[[str], AppTest]:
    """Open the Data page as somebody who has logged in."""

    def open_as(name: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        page.user = {**CLAIMS[name], "is_logged_in": True}
        page.switch_page("pages/data.py").run()
        assert not page.exception
        return page

    return open_as


@pytest.mark.parametrize("name", [BEN.id, "Ben@Lab.org", EVERYONE])
@pytest.mark.parametrize("kind", KINDS)
def test_shared_it_is_there_for_him_and_private_again_it_is_not(
    server: Server, kind: Kind, name: str
) -> None:
    thing, his = server.ids[kind], server.queue.workspace.of(BEN)
    hers = OwnRuns(server.queue, ADA)
    with pytest.raises(ScvizError):
        folder_of(his, kind, thing)
    hers.share(kind, thing, [name])
    assert folder_of(his, kind, thing).is_dir()
    assert server.listed(BEN) == {thing}
    assert server.listed(EVE) == ({thing} if name == EVERYONE else set())
    with pytest.raises(NotAllowedError):
        OwnRuns(server.queue, BEN).share(kind, thing, [EVERYONE])
    with pytest.raises(NotAllowedError):
        OwnRuns(server.queue, BEN).trash.delete(kind, thing)
    hers.share(kind, thing, [])
    assert server.listed(BEN) == set()
    assert server.listed(ADA) == set(server.ids.values())


def test_terms_and_an_upload_that_are_shared_can_be_used(server: Server) -> None:
    hers, his = (OwnRuns(server.queue, person) for person in (ADA, BEN))
    path = upload_path(server.queue.workspace, "of-ada")
    assert path is not None
    asked = opening.Request(path=str(path), name="cells")
    with pytest.raises(ScvizError, match="is not here"):
        his.submit("opening", asked)
    for kind in ("terms", "upload"):
        hers.share(kind, server.ids[kind], [BEN.email])
    assert read_terms(his.workspace.terms_file(server.ids["terms"])) == {"GENE1": frozenset({"a"})}
    run = his.submit("opening", asked).run
    assert execute(run, server.queue.workspace.for_run(run), silent)["state"] == "done"
    assert [info.n_cells for info in his.workspace.datasets()] == [60]


def test_a_press_on_a_page_shares_them_and_takes_that_back(
    server: Server, visit: Callable[[str], AppTest]
) -> None:
    page = visit("ada")
    others = page.multiselect(key="share_others")
    called = ["Gene annotations: Adas terms", "Reference: Adas blood", "Upload: Adas cells.h5ad"]
    assert others.options == called
    others.set_value([f"{kind}/{server.ids[kind]}" for kind in KINDS]).run()
    page.text_input(key="share_with").set_value("ben@lab.org").run()
    page.button(key="share_now").click().run()
    assert not page.exception
    assert server.listed(BEN) == set(server.ids.values())
    assert server.listed(EVE) == set()
    page.button(key="share_no_more").click().run()
    assert server.listed(BEN) == set()


def test_his_page_offers_him_an_upload_to_look_into_but_not_to_share(
    server: Server, visit: Callable[[str], AppTest]
) -> None:
    OwnRuns(server.queue, ADA).share("upload", "of-ada", [BEN.email])
    page = visit("ben")
    assert "share_others" not in {one.key for one in page.multiselect}
    page.toggle(key="space_measured").set_value(True).run()
    page.button(key="look_of-ada").click().run()
    assert not page.exception
    assert any("Adas cells.h5ad" in one.value and "among the uploads" in one.value for one in page.markdown)
    (run,) = server.queue.database.runs(owner=BEN.id, task="checking")
    assert run.request["path"].endswith("of-ada/Adas cells.h5ad")
    hers = visit("ada")
    hers.toggle(key="space_measured").set_value(True).run()
    assert any("Adas blood** · reference" in one.value for one in hers.markdown)
    hers.button(key=f"delete_reference_{server.ids['reference']}_ask").click().run()
    hers.button(key=f"delete_reference_{server.ids['reference']}").click().run()
    assert not hers.exception
    assert references_of(server.queue.workspace) == []
    theirs = visit("eve")
    theirs.toggle(key="space_measured").set_value(True).run()
    assert "look_of-ada" not in {one.key for one in theirs.button}


def test_a_deleted_reference_lies_in_the_trash_and_comes_back(server: Server) -> None:
    hers = OwnRuns(server.queue, ADA)
    hers.trash.delete("reference", server.ids["reference"])
    assert references_of(hers.workspace) == []
    (entry,) = hers.trash.entries()
    assert (entry.kind, entry.name) == ("reference", "Adas blood")
    hers.trash.take_back(entry.id)
    assert references_of(hers.workspace) == [server.ids["reference"]]
    assert access_of(folder_of(hers.workspace, "reference", server.ids["reference"])).owner == ADA.id
    (folder_of(hers.workspace, "reference", server.ids["reference"]) / "reference.json").write_text("{")
    assert hers.trash.delete("reference", server.ids["reference"]).name == server.ids["reference"]
    with pytest.raises(ScvizError, match="There is no reference 'nothing' here"):
        folder_of(hers.workspace, "reference", "nothing")
