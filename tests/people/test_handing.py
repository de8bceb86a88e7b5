"""What was made before a login was switched on, or by somebody who leaves, is handed over: whole, and on record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import pytest

from scviz.cli import main
from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.errors import JobError, NotAllowedError, RequestError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.jobs.visitors import visitor
from scviz.settings import Settings
from scviz.tasks import embedding
from scviz.workspace.audit import lines
from scviz.workspace.database import Run
from scviz.workspace.handing import find_person, hand_over, thing_of, things_of
from scviz.workspace.people import EVERYONE, LOCAL, MACHINE, Person, access_of, remember_person, share
from scviz.workspace.records import RECORD
from scviz.workspace.store import write_info

ADA = Person(issuer="https://id.example", subject="1", name="Ada", email="ada@lab.org")
BEN = Person(issuer="https://id.example", subject="2", name="Ben", email="ben@lab.org")
KINDS = ["dataset", "terms", "reference", "upload", "run"]


@pytest.fixture
def queue(
    tmp_path: Path, adata: anndata.AnnData, monkeypatch: pytest.MonkeyPatch, no_engine: None
) -> RunQueue:
    """A server on which somebody worked before anybody had to log in, and to which two people have come since."""
    home = tmp_path / "home"
    monkeypatch.setenv("SCVIZ_HOME", str(home))
    queue = RunQueue(Settings.from_env())
    workspace = queue.workspace
    upload = workspace.new_upload("early") / "cells.h5ad"
    adata.write_h5ad(upload)
    dataset = open_file(upload, workspace, name="early cells").id
    keep_terms({"GENE1": ["a"]}, workspace, name="early terms", source="a test")
    (workspace.references / "blood-0123").mkdir(parents=True)
    (workspace.references / "blood-0123" / "reference.json").write_text('{"name": "early blood"}')
    run = queue.submit("embedding", embedding.Request(dataset=dataset, checkpoint="scgpt/demo")).run
    queue.database.update(run, state="done")
    (workspace.run_folder(run) / "result").mkdir()
    (workspace.run_folder(run) / "result" / RECORD).write_text("{}")
    demo = open_file(upload, workspace, name="demo")  # stays where it is: everybody has one of her own
    write_info(replace(demo, demo=True), workspace.dataset_folder(demo.id))
    queue.database.add(Run(id="of-demo", task="embedding", request={"dataset": demo.id}, state="done"))
    for person in (ADA, BEN):
        remember_person(home, person)
    return queue


def kinds_of(queue: RunQueue, person: Person) -> list[str]:
    return [one.kind for one in things_of(queue.workspace, queue.database, person.id)]


def test_a_command_hands_over_what_the_machine_has_and_says_first_what_that_is(
    queue: RunQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transfer", "--to", "Ada@Lab.org"]) == 0
    said = capsys.readouterr().out
    assert "5 things would go to ada@lab.org. Nothing was handed over" in said
    for name in ("early cells", "early terms", "early blood", "cells.h5ad", "dataset", "run"):
        assert name in said
    assert kinds_of(queue, ADA) == []
    assert OwnRuns(queue, ADA).runs() == []

    assert main(["transfer", "--to", "Ada@Lab.org", "--yes"]) == 0
    assert "5 things went to ada@lab.org" in capsys.readouterr().out
    assert (kinds_of(queue, ADA), kinds_of(queue, MACHINE)) == (KINDS, [])
    hers, his = OwnRuns(queue, ADA), OwnRuns(queue, BEN)
    (info,) = hers.workspace.datasets()
    (run,) = hers.runs()
    assert (info.name, run.owner, run.request["dataset"]) == ("early cells", ADA.id, info.id)
    assert queue.workspace.for_run(run.id).person == ADA
    assert hers.submit("embedding", hers.request(run.id)).cached
    assert (his.workspace.datasets(), his.workspace.terms(), his.runs()) == ([], [], [])
    hers.share("dataset", info.id, [EVERYONE])  # hers to share, and to delete
    hers.delete(run.id)


def test_each_thing_that_went_has_a_line_in_the_audit_log(queue: RunQueue) -> None:
    assert main(["transfer", "--to", f"code:{ADA.id}", "--yes"]) == 0
    assert main(["transfer", "--from", "ada@lab.org", "--to", "ben@lab.org", "--yes"]) == 0
    found = [line for line in lines(queue.workspace.home) if line["did"] == "transfer"]
    assert [line["kind"] for line in found] == [*KINDS, *KINDS]
    assert [(line["owner"], line["to"]) for line in found] == [
        *[(LOCAL, ADA.id)] * 5,
        *[(ADA.id, BEN.id)] * 5,
    ]
    assert {line["person"] for line in found} == {LOCAL}
    assert all(line["thing"] for line in found)


def test_one_thing_goes_with_the_runs_of_its_owner_that_rest_on_it(queue: RunQueue) -> None:
    (dataset,) = [one for one in things_of(queue.workspace, queue.database, LOCAL) if one.kind == "dataset"]
    assert main(["transfer", "dataset", dataset.id, "--to", "ada@lab.org", "--yes"]) == 0
    assert kinds_of(queue, ADA) == ["dataset", "run"]
    assert kinds_of(queue, MACHINE) == ["terms", "reference", "upload"]
    shared = OwnRuns(queue, ADA)
    shared.share("dataset", dataset.id, [BEN.email])
    his = OwnRuns(queue, BEN).submit(
        "embedding", embedding.Request(dataset=dataset.id, checkpoint="scgpt/other")
    )
    queue.database.update(his.run, state="done")
    assert main(["transfer", "dataset", dataset.id, "--to", "machine", "--yes"]) == 0
    assert kinds_of(queue, ADA) == []
    assert kinds_of(queue, BEN) == ["run"]
    assert [one.id for one in queue.workspace.of(BEN).datasets()] == [dataset.id]  # shared with him as before


def test_who_has_not_logged_in_yet_is_named_by_issuer_and_subject(
    queue: RunQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    eve = Person(issuer="https://other.example/realm", subject="auth|7 x", name="Eve")
    assert main(["transfer", "--to", "https://other.example/realm auth|7 x", "--yes"]) == 0
    assert "auth|7 x at https://other.example/realm (nobody has yet)" in capsys.readouterr().out
    assert kinds_of(queue, eve) == KINDS
    (run,) = OwnRuns(queue, eve).runs()
    assert queue.workspace.for_run(run.id).person.id == eve.id
    remember_person(queue.workspace.home, eve)
    assert find_person(queue.workspace.home, "https://other.example/realm auth|7 x") == eve


def test_what_was_shared_with_the_new_owner_is_hers_once(queue: RunQueue) -> None:
    run = next(one for one in queue.database.runs() if one.id != "of-demo")
    share(MACHINE, queue.workspace.run_folder(run.id), [ADA.id, BEN.email, EVERYONE])
    hand_over(
        queue.workspace,
        queue.database,
        thing_of(queue.workspace, queue.database, kind="run", identifier=run.id),
        to=ADA,
    )
    assert access_of(queue.workspace.run_folder(run.id)).shared == (BEN.email, EVERYONE)
    for person in (ADA, BEN):
        assert [one.id for one in OwnRuns(queue, person).runs()] == [run.id]


def test_who_is_not_known_or_meant_twice_is_told(queue: RunQueue) -> None:
    home = queue.workspace.home
    for text in ("eve@lab.org", "", "Ada", "code:123", "local", ADA.id[:8], "https://id.example"):
        with pytest.raises(RequestError, match="Nobody known here") as refused:
            find_person(home, text)
        assert "ada@lab.org, ben@lab.org" in refused.value.hint
    twin = replace(ADA, issuer="https://other.example")
    remember_person(home, twin)
    with pytest.raises(RequestError, match="Several people") as refused:
        find_person(home, "ada@lab.org")
    assert ADA.id in str(refused.value)
    assert twin.id in str(refused.value)
    assert find_person(home, f"code:{twin.id}") == twin


def test_a_run_that_is_at_work_stays_and_so_does_all_else(queue: RunQueue) -> None:
    run = next(one for one in queue.database.runs() if one.id != "of-demo")
    queue.database.update(run.id, state="running")
    before = kinds_of(queue, MACHINE)
    with pytest.raises(JobError, match="has not ended"):
        hand_over(queue.workspace, queue.database, things_of(queue.workspace, queue.database, LOCAL), to=ADA)
    assert kinds_of(queue, MACHINE) == before
    assert kinds_of(queue, ADA) == []


def test_nobody_but_the_owner_of_the_server_hands_over_and_no_visitor_gets_anything(queue: RunQueue) -> None:
    things = things_of(queue.workspace, queue.database, LOCAL)
    with pytest.raises(NotAllowedError, match="owner of the server"):
        hand_over(queue.workspace, queue.database, things, to=ADA, by=ADA)
    with pytest.raises(NotAllowedError, match="visitor"):
        hand_over(queue.workspace, queue.database, things, to=visitor("7"))
    assert kinds_of(queue, MACHINE) == KINDS


def test_what_names_no_thing_is_told(queue: RunQueue, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["dataset"], ["cells", "x"], ["dataset", "x"], ["checkpoint", "scgpt/demo"]):
        assert main(["transfer", *words, "--to", "ada@lab.org", "--yes"]) == 1
    said = capsys.readouterr().err
    assert "names no thing" in said
    assert "There is no dataset 'x' here" in said
    assert "There is no checkpoint 'scgpt/demo' here" in said
    assert lines(queue.workspace.home) == []
