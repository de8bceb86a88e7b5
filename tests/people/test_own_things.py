"""Two people on one server: whatever one has, by whatever id, is not there for the other until it is shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.datasets.steps import Step, apply_step
from scviz.errors import NotAllowedError, ScvizError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import checking, embedding, enrichment, importing, opening, transfer
from scviz.workspace import Workspace
from scviz.workspace.audit import lines
from scviz.workspace.people import EVERYONE, MACHINE, Person, access_of, owner_of, remember_person, share
from scviz.workspace.store import CheckpointInfo, write_checkpoint_info

ADA = Person(issuer="https://id.example", subject="1", name="Ada", email="ada@lab.org")
BEN = Person(issuer="https://id.example", subject="2", name="Ben", email="ben@lab.org")
EVE = Person(issuer="https://other.example", subject="1", name="Ada")
HEAD = replace(EVE, subject="head", role="owner")


@dataclass(frozen=True)
class Hers:
    """Things of Ada, and the server they are on."""

    queue: RunQueue
    dataset: str
    checkpoint: str
    terms: str
    reference: str
    upload: Path
    run: str

    def of(self, person: Person) -> OwnRuns:
        """The queue as somebody finds it."""
        return OwnRuns(self.queue, person)

    def place(self, person: Person) -> Workspace:
        """The workspace as somebody finds it."""
        return self.queue.workspace.of(person)


@pytest.fixture
def hers(adata: anndata.AnnData, tmp_path: Path, no_engine: None) -> Hers:
    """Ada has one of everything."""
    settings = Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home"), "SCVIZ_LOGIN": "on"})
    queue = RunQueue(settings)
    for person in (ADA, BEN, EVE, HEAD):
        remember_person(settings.home, person)
    own = queue.workspace.of(ADA)
    upload = own.new_upload("of-ada") / "cells.h5ad"
    adata.write_h5ad(upload)
    dataset = open_file(upload, own, name="cells").id
    checkpoint = CheckpointInfo(
        id=f"geneformer/{own.own_name('tiny')}",
        model="geneformer",
        name="Tiny",
        description="Random weights.",
        licence="none",
        n_parameters=1,
        n_genes=200,
        size_mb=0.1,
    )
    weights = settings.home / "checkpoints" / checkpoint.id
    weights.mkdir(parents=True)
    own.claim(weights)
    write_checkpoint_info(checkpoint, weights)
    terms = keep_terms({"GENE1": ["a"]}, own, name="GO", source="a test").id
    reference = own.references / own.own_name("blood", "0123456789")
    reference.mkdir(parents=True)
    own.claim(reference)
    asked = embedding.Request(dataset=dataset, checkpoint="scgpt/demo")
    run = OwnRuns(queue, ADA).submit("embedding", asked).run
    queue.database.update(run, state="done")
    return Hers(queue, dataset, checkpoint.id, terms, reference.name, upload, run)


READS: dict[str, Callable[[Workspace, Hers], object]] = {
    "the folder of a dataset": lambda place, hers: place.dataset_folder(hers.dataset),
    "a dataset": lambda place, hers: place.dataset(hers.dataset),
    "the folder of a checkpoint": lambda place, hers: place.checkpoint_folder(hers.checkpoint),
    "a checkpoint": lambda place, hers: place.checkpoint(hers.checkpoint),
    "what weights have seen": lambda place, hers: place.seen_in_training(hers.checkpoint, hers.dataset),
    "what weights will have seen": lambda place, hers: place.seen_after(hers.checkpoint, hers.dataset),
    "the folder of terms": lambda place, hers: place.terms_folder(hers.terms),
    "terms": lambda place, hers: place.terms_file(hers.terms),
    "the folder of a run": lambda place, hers: place.run_folder(hers.run),
    "a folder within a run": lambda place, hers: place.run_folder(f"{hers.run}/request.json"),
    "an upload": lambda place, hers: place.new_upload(hers.upload.parent.name),
}
RUN_READS = (
    "get",
    "request",
    "result",
    "events",
    "curve",
    "log",
    "stop",
    "resume",
    "bring_forward",
    "delete",
)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("person", [BEN, EVE, replace(BEN, role="viewer")])
def test_nothing_of_hers_is_there_for_another(hers: Hers, read: str, person: Person) -> None:
    if read != "a folder within a run":
        READS[read](hers.place(ADA), hers)
    with pytest.raises(ScvizError) as refused:
        READS[read](hers.place(person), hers)
    assert "here" in str(refused.value)
    assert "Ada" not in str(refused.value)


def test_what_is_not_hers_is_told_in_the_words_for_what_is_not_there(hers: Hers) -> None:
    said = []
    for name in (hers.dataset, hers.dataset.replace("cells", "other")):
        with pytest.raises(ScvizError) as refused:
            hers.place(BEN).dataset(name)
        said.append((str(refused.value).replace(name, "X"), refused.value.hint))
    assert said[0] == said[1]


@pytest.mark.parametrize("person", [BEN, EVE])
def test_no_list_of_another_names_it(hers: Hers, person: Person) -> None:
    theirs, own = hers.place(person), hers.place(ADA)
    for listed in (Workspace.datasets, Workspace.terms):
        assert len(listed(own)) == 1
        assert listed(theirs) == []
    assert hers.checkpoint in {one.id for one in own.checkpoints()}
    assert hers.checkpoint not in {one.id for one in theirs.checkpoints()}
    assert [run.id for run in hers.of(ADA).runs()] == [hers.run]
    assert hers.of(person).runs() == hers.of(person).runs(owner=ADA.id) == []


@pytest.mark.parametrize("read", RUN_READS)
def test_no_run_of_hers_is_there_for_another(hers: Hers, read: str) -> None:
    with pytest.raises(ScvizError, match="There is no run"):
        getattr(hers.of(BEN), read)(hers.run)
    mine = hers.of(ADA).get(hers.run)
    assert mine.state == "done"
    with pytest.raises(ScvizError, match="There is no run"):
        hers.of(BEN).trouble(mine)


def test_every_read_of_the_queue_is_tried() -> None:
    tried = {*RUN_READS, "submit", "runs", "of_everybody", "waits", "trouble", "share", "hers"}
    tried.add(
        "before_upload"
    )  # it names nothing that is there; whose bytes count is in tests/workspace/test_limits.py
    assert {name for name in vars(OwnRuns) if not name.startswith("_")} == tried


NAMED: dict[str, Callable[[Hers], tuple[str, object]]] = {
    "a dataset": lambda hers: ("embedding", embedding.Request(dataset=hers.dataset, checkpoint="scgpt/demo")),
    "a checkpoint": lambda hers: (
        "embedding",
        embedding.Request(dataset="mine", checkpoint=hers.checkpoint),
    ),
    "an upload": lambda hers: ("opening", opening.Request(name="x", path=str(hers.upload))),
    "an upload by another way": lambda hers: (
        "checking",
        checking.Request(path=str(hers.upload.parent / "x" / ".." / ".." / "of-ada" / hers.upload.name)),
    ),
    "the folder of a dataset": lambda hers: (
        "opening",
        opening.Request(
            name="x", path=str(hers.queue.workspace.dataset_folder(hers.dataset) / "source.h5ad")
        ),
    ),
    "weights by their folder": lambda hers: (
        "importing",
        importing.Request(
            model="geneformer", name="x", folder=str(hers.queue.workspace.checkpoint_folder(hers.checkpoint))
        ),
    ),
    "the table of runs": lambda hers: (
        "opening",
        opening.Request(name="x", path=str(hers.queue.workspace.home / "scviz.db")),
    ),
    "a run": lambda hers: (
        "enrichment",
        enrichment.Request(dataset="mine", run=hers.run, name="1"),
    ),
    "a reference": lambda hers: ("transfer", transfer.Request(dataset="mine", reference=hers.reference)),
}


@pytest.mark.parametrize("what", NAMED)
def test_no_request_of_another_may_name_it(hers: Hers, what: str) -> None:
    task, request = NAMED[what](hers)
    with pytest.raises(ScvizError, match="is not here"):
        hers.of(BEN).submit(task, request)
    assert hers.queue.database.runs(owner=BEN.id) == []
    if what != "the table of runs":
        hers.of(ADA).submit(task, request)


def test_nobody_asks_for_another_and_who_may_look_only_asks_for_nothing(hers: Hers) -> None:
    request = opening.demo_request()
    with pytest.raises(NotAllowedError, match="somebody else"):
        hers.of(BEN).submit("opening", request, ADA.id)
    with pytest.raises(NotAllowedError, match="look"):
        hers.of(replace(BEN, role="viewer")).submit("opening", request)
    with pytest.raises(NotAllowedError, match="look"):
        hers.place(replace(ADA, role="viewer")).folder_to_change(hers.dataset)


def test_the_same_file_of_two_people_is_two_datasets_of_one_content(
    hers: Hers, adata: anndata.AnnData
) -> None:
    upload = hers.place(BEN).new_upload("of-ben") / "cells.h5ad"
    adata.write_h5ad(upload)
    his = open_file(upload, hers.place(BEN), name="cells").id
    assert his != hers.dataset
    assert his.rpartition("-")[2] == hers.dataset.rpartition("-")[2]
    step = Step(line="Some cells.", cells=np.arange(60) < 40)
    made = [apply_step(hers.place(who), what, step).id for who, what in ((ADA, hers.dataset), (BEN, his))]
    assert made[0] != made[1]
    assert made[0].rpartition("-")[2] == made[1].rpartition("-")[2]
    assert [owner_of(hers.queue.workspace.dataset_folder(one)) for one in made] == [ADA.id, BEN.id]


@pytest.mark.parametrize("name", [BEN.id, "Ben@Lab.org", EVERYONE])
def test_shared_by_a_press_it_is_there_and_gone_by_another(hers: Hers, name: str) -> None:
    folder = hers.queue.workspace.dataset_folder(hers.dataset)
    hers.of(ADA).share("dataset", hers.dataset, [name])
    hers.of(ADA).share("run", hers.run, [name])
    assert hers.place(BEN).dataset(hers.dataset).n_cells == 60
    assert [one.id for one in hers.place(BEN).datasets()] == [hers.dataset]
    assert [run.id for run in hers.of(BEN).runs(states=["done"], task="embedding")] == [hers.run]
    assert hers.of(BEN).runs(task="qc") == []
    assert (len(hers.place(EVE).datasets()), len(hers.of(EVE).runs())) == (
        (1, 1) if name == EVERYONE else (0, 0)
    )
    with pytest.raises(NotAllowedError, match="somebody else's"):
        hers.of(BEN).delete(hers.run)
    with pytest.raises(NotAllowedError):
        hers.of(BEN).share("dataset", hers.dataset, [EVERYONE])
    with pytest.raises(NotAllowedError):
        hers.of(BEN).share("run", hers.run, [EVERYONE])
    hers.of(ADA).share("dataset", hers.dataset, [])
    hers.of(ADA).share("run", hers.run, [])
    assert hers.place(BEN).datasets() == []
    assert hers.of(BEN).runs() == []
    assert access_of(folder).owner == ADA.id


def test_an_unverified_address_opens_nothing_that_is_shared_with_it(hers: Hers) -> None:
    share(ADA, hers.queue.workspace.dataset_folder(hers.dataset), ["ben@lab.org"])
    mallory = replace(BEN, subject="666", email="")
    assert hers.place(mallory).datasets() == []


def test_the_owner_of_the_server_sees_and_ends_what_others_do_but_her_lists_are_her_own(hers: Hers) -> None:
    assert hers.place(HEAD).dataset(hers.dataset).name == "cells"
    assert hers.of(HEAD).get(hers.run).owner == ADA.id
    assert hers.place(HEAD).datasets() == []
    assert hers.of(HEAD).runs() == []
    assert [run.id for run in hers.of(HEAD).of_everybody()] == [hers.run]
    assert hers.of(BEN).of_everybody() == hers.of(ADA).of_everybody() == []
    hers.of(HEAD).delete(hers.run)
    assert hers.queue.database.runs() == []


def test_what_the_machine_has_is_not_there_for_others_and_it_sees_all(
    hers: Hers, adata: anndata.AnnData, tmp_path: Path
) -> None:
    adata.write_h5ad(tmp_path / "more.h5ad")
    more = open_file(tmp_path / "more.h5ad", hers.queue.workspace, name="more").id
    with pytest.raises(ScvizError):
        hers.place(ADA).dataset(more)
    assert {one.id for one in hers.place(MACHINE).datasets()} == {more, hers.dataset}
    assert [one.id for one in hers.place(HEAD).datasets()] == [more]
    assert [run.id for run in hers.of(MACHINE).runs()] == [hers.run]


def test_a_run_finds_what_its_owner_finds(hers: Hers) -> None:
    asked = hers.of(BEN).submit("opening", opening.demo_request()).run
    theirs = hers.queue.workspace.for_run(asked)
    assert theirs.person == BEN
    with pytest.raises(ScvizError):
        theirs.dataset_folder(hers.dataset)
    assert hers.queue.workspace.for_run(hers.run).dataset(hers.dataset).id == hers.dataset


def test_what_people_do_stands_in_the_audit_log(hers: Hers) -> None:
    hers.of(ADA).share("run", hers.run, [EVERYONE])
    hers.of(ADA).delete(hers.run)
    hers.of(MACHINE).submit("opening", opening.demo_request())
    found = [(line["person"], line["did"]) for line in lines(hers.queue.workspace.home)]
    assert sorted(set(found)) == [(ADA.id, did) for did in ("delete", "share", "submit")]
    assert (hers.queue.workspace.home / "audit.log").stat().st_mode & 0o077 == 0


def test_a_person_has_no_field_that_an_unverified_claim_fills() -> None:
    assert {one.name for one in fields(Person)} == {"issuer", "subject", "name", "email", "role"}
