"""Files of JSON that hold something else: a sentence with the name of the file, whatever stands in it."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from scviz.errors import DataError
from scviz.foundation.published import read_labels
from scviz.jobs.course import read_events
from scviz.jobs.engine import address_file, read_engine
from scviz.workspace import Workspace
from scviz.workspace.colors import read_colors
from scviz.workspace.damaged import damaged_records
from scviz.workspace.plain_json import DamagedFileError, read_plain
from scviz.workspace.records import read_json, read_record, read_value, write_record
from scviz.workspace.term_choices import chosen_terms
from tests.conftest import Opened

DEEP = b"[" * 200_000
BAD = (b"[]", b"5", b"null", b"", b'{"id": ', b"\xff\xfe\x00", DEEP, b'{"a":' * 200_000, b"9" * 5000)


@dataclass(frozen=True)
class Seed:
    seed: int
    name: str


@pytest.mark.parametrize("content", BAD)
def test_whatever_stands_in_a_file_is_told_with_its_name(tmp_path: Path, content: bytes) -> None:
    for name in ("record.json", "colors.json", "terms.json", "engine.json", "events.jsonl", "labels.json"):
        (tmp_path / name).write_bytes(content)
    record = tmp_path / "record.json"
    for read in (
        lambda: read_plain(record),
        lambda: read_json(Seed, record),
        lambda: read_record(Seed, tmp_path),
        lambda: read_value(tmp_path, "seed"),
        lambda: read_colors(tmp_path),
        lambda: chosen_terms(tmp_path),
    ):
        with pytest.raises(
            DamagedFileError, match=rf"^The file {tmp_path.name}/\w+\.json is damaged: [^\n]{{5,250}}\.$"
        ):
            read()
    with pytest.raises(Exception, match=r"labels\.json"):
        read_labels(tmp_path, 3)
    assert read_engine(tmp_path) is None
    assert address_file(tmp_path).exists()
    assert read_events(tmp_path) == []


def test_values_of_another_kind_and_lacking_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text('{"seed": [], "name": "a"}', "utf-8")
    with pytest.raises(DamagedFileError, match=r"seed\.json is damaged: input should be a valid integer"):
        read_json(Seed, path)
    path.write_text('{"seed": 1}', "utf-8")
    with pytest.raises(DamagedFileError, match=r"seed\.json is damaged: it lacks some of its values"):
        read_json(Seed, path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b"[1" + b",1" * 100 + b"]")
    with pytest.raises(DamagedFileError, match="more than 0 MB"):
        read_plain(path, list, most=100)
    assert len(read_plain(path, list)) == 101


@pytest.mark.parametrize("content", BAD)
def test_one_damaged_dataset_hides_no_other(opened: Opened, content: bytes) -> None:
    own = opened.workspace
    (own.dataset_folder("bad-1") / "info.json").parent.mkdir()
    (own.dataset_folder("bad-1") / "info.json").write_bytes(content)
    assert [info.id for info in own.datasets()] == [opened.dataset]
    (said,) = damaged_records(own)
    assert said.startswith("The dataset bad-1 cannot be read. The file bad-1/info.json is damaged: ")
    assert said.endswith("Delete it, or put back a copy, and try again.")
    with pytest.raises(DamagedFileError, match=r"bad-1/info\.json is damaged"):
        own.dataset("bad-1")


def test_what_a_run_found_is_read_back_unless_it_is_damaged(tmp_path: Path) -> None:
    write_record(Seed(seed=1, name="a"), tmp_path)
    assert read_record(Seed, tmp_path) == Seed(seed=1, name="a")


@pytest.mark.parametrize("name", ["a" * 300, "\0", "é" * 200, "../x", "a/" + "b" * 300])
def test_no_address_reaches_the_disk_that_is_no_name(workspace: Workspace, name: str) -> None:
    for read in (workspace.dataset, workspace.checkpoint, workspace.terms_file, workspace.run_folder):
        with pytest.raises(DataError, match="is no name of something kept here"):
            read(name)


def test_a_short_file_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "short.json").write_text('{"a": 1}')
    tracemalloc.start()
    assert read_plain(tmp_path / "short.json") == {"a": 1}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
