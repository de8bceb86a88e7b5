"""Dataclasses on disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from scviz.workspace.records import (
    ARRAYS,
    RECORD,
    file_hash,
    fingerprint,
    from_json,
    read_json,
    read_record,
    to_json,
    write_json,
    write_record,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    dataset: str
    how: Literal["quick", "careful"] = "quick"
    genes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    folder: Path | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    embedding: NDArray[np.float32]
    names: NDArray[np.str_]
    title: str
    scores: dict[str, float]
    by_type: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    umap: NDArray[np.float32] | None = None


def answer(**changes: object) -> Answer:
    fields = {
        "embedding": np.arange(6, dtype=np.float32).reshape(3, 2),
        "names": np.array(["a", "b", "ü"]),
        "title": "Map",
        "scores": {"f1": 0.5},
        **changes,
    }
    return Answer(**fields)


def test_a_question_comes_back_from_json_with_its_types() -> None:
    question = Question(dataset="pbmc", genes=("CD3D",), parts=(Part(name="T", share=0.5),), folder=Path("x"))
    assert from_json(Question, to_json(question)) == question


@given(st.text(), st.lists(st.text()), st.integers())
def test_any_words_come_back_from_a_file(dataset: str, genes: list[str], seed: int) -> None:
    question = Question(dataset=dataset, genes=tuple(genes), seed=seed)
    assert from_json(Question, to_json(question)) == question


def test_unknown_fields_are_left_out_and_absent_ones_get_their_default() -> None:
    assert from_json(Question, {"dataset": "pbmc", "of_old": 1}) == Question(dataset="pbmc")


def test_a_wrong_value_is_refused() -> None:
    with pytest.raises(ValidationError, match="careful"):
        from_json(Question, {"dataset": "pbmc", "how": "sloppily"})


def test_a_file_holds_one_writer_s_words_when_many_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "info.json"
    threads = [
        threading.Thread(target=write_json, args=(Question(dataset=str(n)), path), daemon=True)
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_json(Question, path).dataset in map(str, range(16))
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_comes_back_with_arrays_and_values(tmp_path: Path) -> None:
    write_record(answer(by_type={"T/NK": np.array([0.5]), "B": np.array([1.0, 2.0])}), tmp_path / "result")
    back = read_record(Answer, tmp_path / "result")
    assert back.embedding.dtype == np.float32
    assert back.embedding.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert back.names.tolist() == ["a", "b", "ü"]
    assert (back.title, back.scores) == ("Map", {"f1": 0.5})
    assert {name: array.tolist() for name, array in back.by_type.items()} == {"T/NK": [0.5], "B": [1.0, 2.0]}


def test_an_array_that_is_none_comes_back_as_none(tmp_path: Path) -> None:
    write_record(answer(), tmp_path)
    assert read_record(Answer, tmp_path).umap is None
    assert read_record(Answer, tmp_path).by_type == {}


def test_a_score_that_is_no_number_comes_back_so(tmp_path: Path) -> None:
    write_record(answer(scores={"f1": float("nan")}), tmp_path)
    assert np.isnan(read_record(Answer, tmp_path).scores["f1"])


def test_an_array_of_python_objects_is_refused_when_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_record(answer(names=np.array(["a", None], dtype=object)), tmp_path)
    assert not (tmp_path / RECORD).exists()


def test_the_record_is_there_only_when_the_arrays_are(tmp_path: Path) -> None:
    write_record(answer(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, ARRAYS}
    assert (tmp_path / RECORD).stat().st_mtime_ns >= (tmp_path / ARRAYS).stat().st_mtime_ns


def test_the_order_of_keys_does_not_change_a_fingerprint() -> None:
    assert fingerprint("t", {"a": 1, "b": 2}) == fingerprint("t", {"b": 2, "a": 1})


def test_another_value_changes_a_fingerprint() -> None:
    assert len({fingerprint("t", {"a": 1}), fingerprint("t", {"a": 2}), fingerprint("u", {"a": 1})}) == 3


def test_the_hash_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    for name, content in (("a", b"counts"), ("b", b"counts"), ("c", b"other")):
        (tmp_path / name).write_bytes(content)
    assert file_hash(tmp_path / "a") == file_hash(tmp_path / "b") != file_hash(tmp_path / "c")
