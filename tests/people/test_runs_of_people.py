"""What runs of a person make is hers, and no run finds what its owner does not, however it was handed in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.jobs.shipped import Shelf, take_in
from scviz.jobs.worker import execute
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import exporting, filtering, markers, opening
from scviz.workspace.groups import name_group
from scviz.workspace.people import EVERYONE, SERVER, Person, access_of, owner_of, person_of, remember_person

ADA = Person(issuer="https://id.example", subject="1", name="Ada", email="ada@lab.org")
BEN = Person(issuer="https://id.example", subject="2", name="Ben", email="ben@lab.org")


@pytest.fixture
def queue(tmp_path: Path, no_engine: None) -> RunQueue:
    """A server that both have been on."""
    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home"), "SCVIZ_LOGIN": "on"}))
    for person in (ADA, BEN):
        remember_person(queue.workspace.home, person)
    return queue


def carry_out(queue: RunQueue, run: str) -> dict[str, str]:
    """Carry a run out as its process does, here."""
    ending = execute(run, queue.workspace.for_run(run), silent)
    queue.database.update(run, state=ending["state"], message=ending["message"])
    return ending


def opened(queue: RunQueue, person: Person, adata: anndata.AnnData) -> str:
    """Open an upload of somebody's by a run."""
    upload = queue.workspace.of(person).new_upload(person.name) / "cells.h5ad"
    adata.write_h5ad(upload)
    runs = OwnRuns(queue, person)
    run = runs.submit("opening", opening.Request(path=str(upload), name="cells")).run
    assert carry_out(queue, run)["state"] == "done"
    return str(runs.result(run).dataset)


def test_what_a_run_opens_is_its_owners(queue: RunQueue, adata: anndata.AnnData) -> None:
    hers, his = (opened(queue, person, adata) for person in (ADA, BEN))
    assert hers != his
    assert [info.id for info in queue.workspace.of(ADA).datasets()] == [hers]
    assert [info.id for info in queue.workspace.of(BEN).datasets()] == [his]


@pytest.mark.parametrize("what", ["filtering", "markers", "exporting"])
def test_a_run_that_names_what_is_not_its_owners_ends_as_if_it_were_not_there(
    queue: RunQueue, adata: anndata.AnnData, what: str
) -> None:
    hers = opened(queue, ADA, adata)
    name_group(queue.workspace.dataset_folder(hers), "some", np.arange(20))
    of_her = queue.database.runs(owner=ADA.id)[0].id
    request = {
        "filtering": filtering.Request(dataset=hers, name="x", group="some"),
        "markers": markers.Request(dataset=hers, column="cell_type"),
        "exporting": exporting.Request(run=of_her),
    }[what]
    run = queue.submit(what, request, BEN.id).run  # past what the pages go through
    ending = carry_out(queue, run)
    assert ending["state"] == "failed"
    assert "here" in ending["message"]


def test_a_shared_dataset_serves_a_run_of_another_until_it_is_private_again(
    queue: RunQueue, adata: anndata.AnnData
) -> None:
    hers = opened(queue, ADA, adata)
    folder = queue.workspace.dataset_folder(hers)
    name_group(folder, "some", np.arange(20))
    OwnRuns(queue, ADA).share("dataset", hers, [BEN.email])
    his = OwnRuns(queue, BEN)
    asked = filtering.Request(dataset=hers, name="some", group="some")
    run = his.submit("filtering", asked).run
    assert carry_out(queue, run)["state"] == "done"
    made = str(his.result(run).dataset)
    assert owner_of(queue.workspace.dataset_folder(made)) == BEN.id
    assert made not in {info.id for info in queue.workspace.of(ADA).datasets()}
    later = his.submit("filtering", replace(asked, name="later")).run
    OwnRuns(queue, ADA).share("dataset", hers, [])
    assert carry_out(queue, later)["state"] == "failed"
    assert access_of(folder).shared == ()


def test_each_has_the_demo_with_its_finished_runs_of_her_own(queue: RunQueue) -> None:
    for person in (ADA, BEN):
        runs = OwnRuns(queue, person)
        run = runs.submit("opening", opening.demo_request()).run
        assert carry_out(queue, run)["state"] == "done"
        dataset = runs.result(run).dataset
        assert person.id in access_of(queue.workspace.dataset_folder(dataset)).owner
        take_in(Shelf(workspace=runs.workspace, database=queue.database, owner=person.id))
        came = [one for one in runs.runs() if one.engine == "shipped"]
        assert len(came) >= 3
        assert {one.request["dataset"] for one in came} == {dataset}
        for one in came:
            runs.result(one.id)
            assert owner_of(queue.workspace.run_folder(one.id)) == person.id


def test_weights_from_the_start_of_a_server_are_for_all(queue: RunQueue) -> None:
    place = queue.workspace.of(person_of(queue.workspace.home, SERVER))
    folder = queue.workspace.home / "checkpoints" / "geneformer" / place.own_name("v1", "0123456789")
    folder.mkdir(parents=True)
    place.claim(folder)
    assert access_of(folder).shared == (EVERYONE,)
    assert queue.workspace.of(BEN).sees("checkpoints", f"geneformer/{folder.name}")
    assert not queue.workspace.of(BEN).may_change(folder)
