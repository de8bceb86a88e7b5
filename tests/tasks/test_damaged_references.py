"""Saved references that are damaged: lists go on without them and say so, and whoever names one is told."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from scviz.cli.by_reference import request_of
from scviz.errors import DataError, ScvizError
from scviz.settings import Settings
from scviz.tasks.transfer.references import (
    RECORD,
    SHIPPED,
    TENSORS,
    damaged_references,
    find_reference,
    named_reference,
    read_reference,
    references,
)
from scviz.workspace import Workspace
from tests.pages.test_pages import Open, visit  # noqa: F401 - a fixture
from tests.pages.test_reference import words
from tests.tasks.test_transfer import Two, opened, two  # noqa: F401 - two is a fixture


def changed(**values: Any) -> Callable[[Path], None]:
    """Write other values into the record."""

    def change(folder: Path) -> None:
        path = folder / RECORD
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def lacks(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / RECORD
        record = json.loads(path.read_text())
        del record[name]
        path.write_text(json.dumps(record))

    return change


def text(words: str | bytes) -> Callable[[Path], None]:
    written = words if isinstance(words, bytes) else words.encode()
    return lambda folder: (folder / RECORD).write_bytes(written) and None


def truncated(folder: Path) -> None:
    path = folder / RECORD
    path.write_text(path.read_text()[:-300])


def a_folder_in_place(folder: Path) -> None:
    (folder / RECORD).unlink()
    (folder / RECORD).mkdir()


RECORDS: dict[str, Callable[[Path], None]] = {
    "truncated": truncated,
    "empty": text(""),
    "no text": text(b"\xff\xfe\x00\x9f" * 50),
    "brackets": text("[" * 200_000),
    "names and brackets": text('{"a":' * 200_000),
    "a list": text("[]"),
    "a number": text("3"),
    "null": text("null"),
    "not the record": lambda folder: (folder / RECORD).unlink(),
    "not the tensors": lambda folder: (folder / TENSORS).unlink(),
    "a folder in place of the record": a_folder_in_place,
    "types of another kind": changed(types=7),
    "types that are numbers": changed(types=[1, 2, 3]),
    "a name that is a list": changed(name=["Blood"]),
    "rules that are words": changed(rules="logistic"),
    "rules with missing values": changed(rules=[{"key": "genes"}]),
    "rules that are null": changed(rules=None),
    "no rules": changed(rules=[]),
    "one type": changed(types=["T cell"], ontology_ids=[""]),
    "the same type twice": changed(types=["T cell", "T cell"], ontology_ids=["", ""]),
    "ids for other types": changed(ontology_ids=["CL:0000084"]),
    "a depth of 0": changed(target=0),
    "a reach that is no number": changed(reach="far"),
    "a reach without end": changed(reach=float("inf")),
    "no genes named": lacks("genes"),
}


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Workspace, Path]:
    """Two references that were saved: `sound`, and `blow`, which each test damages."""
    workspace = Workspace(tmp_path / "home")
    for name in ("sound", "blow"):
        shutil.copytree(SHIPPED / "blood", workspace.references / name)
    return workspace, workspace.references / "blow"


@pytest.mark.parametrize("damage", RECORDS.values(), ids=RECORDS)
def test_a_damaged_reference_is_left_out_and_told(
    saved: tuple[Workspace, Path], damage: Callable[[Path], None]
) -> None:
    workspace, folder = saved
    assert {one.id for one in references(workspace)} == {"sound", "blow", "blood"}
    assert damaged_references(workspace) == ()
    damage(folder)
    assert {one.id for one in references(workspace)} == {"sound", "blood"}
    (said,) = damaged_references(workspace)
    assert re.match(r"^(The reference blow cannot be read|There is no classifier in blow)\W", said)
    assert "Traceback" not in said
    assert len(said) < 500
    assert said.endswith(".")
    for way in (lambda: find_reference(workspace, "blow"), lambda: named_reference("blow", workspace)):
        with pytest.raises(DataError, match="blow") as refused:
            way()
        assert said == f"{refused.value} {refused.value.hint}"
    assert find_reference(workspace, "sound") is not None
    assert find_reference(workspace, "never-saved") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_reference_that_may_not_be_read_is_told(saved: tuple[Workspace, Path]) -> None:
    workspace, folder = saved
    (folder / TENSORS).chmod(0)
    assert {one.id for one in references(workspace)} == {"sound", "blood"}
    assert "Permission denied" in damaged_references(workspace)[0]


def turned(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        tensors = load_file(folder / TENSORS)
        tensors[name] = np.ascontiguousarray(change(tensors[name]))
        save_file(tensors, folder / TENSORS)

    return write


TENSOR_FILES: dict[str, Callable[[Path], None]] = {
    "nothing": lambda folder: (folder / TENSORS).write_bytes(b"") and None,
    "truncated": lambda folder: (
        (folder / TENSORS).write_bytes((folder / TENSORS).read_bytes()[:-1000]) and None
    ),
    "a table without columns": turned("components", lambda one: one[:, 0]),
    "a list that is one number": turned("spread", lambda one: one[0]),
    "fewer places": turned("chosen", lambda one: one[:-1]),
    "places beyond the genes": turned("chosen", lambda one: one + 1_000_000),
    "places before the genes": turned("chosen", lambda one: one.astype(np.int64) - 10),
    "types beyond the types": turned("held_out_types", lambda one: one + 100),
}


@pytest.mark.parametrize("damage", TENSOR_FILES.values(), ids=TENSOR_FILES)
def test_tensors_that_do_not_fit_are_refused_in_words(
    saved: tuple[Workspace, Path], damage: Callable[[Path], None]
) -> None:
    _, folder = saved
    damage(folder)
    with pytest.raises(DataError) as refused:
        read_reference(folder).with_tensors()
    assert "Save it again" in refused.value.hint


def test_the_page_offers_the_others_and_says_which_is_damaged(
    visit: Open,  # noqa: F811
    two: Two,  # noqa: F811
) -> None:
    folder = two.workspace.references / "blow"
    shutil.copytree(SHIPPED / "blood", folder)
    truncated(folder)
    page = visit("pages/annotate.py", dataset=two.query)
    assert not page.exception
    assert "The reference blow cannot be read, since its file reference.json is damaged" in words(page)
    assert "Save it again from the run that learned it" in words(page)
    assert page.selectbox(key="transfer_reference").value == "blood"


def test_the_command_says_which_one_is_damaged(
    two: Two,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = two.workspace.references / "blow"
    shutil.copytree(SHIPPED / "blood", folder)
    text("[" * 200_000)(folder)
    monkeypatch.setenv("SCVIZ_HOME", str(two.workspace.home))

    class Options:
        reference, apply, dataset = "blow", "", two.query
        harmony, tuning, seed = False, "none", 0

    with pytest.raises(
        ScvizError, match=r"The reference blow cannot .* file reference\.json is damaged: its brackets"
    ):
        request_of(Options, Settings.from_env())  # type: ignore[arg-type]
