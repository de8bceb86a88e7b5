"""Reading files of others: tensors and plain values, nothing that runs."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - to write what must be refused
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from scviz.errors import CheckpointError
from scviz.foundation.weights import load_tensors, n_parameters, read_dictionary, read_tensors

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 41183536\n"


class Command:
    """Runs when it is read."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("was-here"),))


def test_tensors_of_both_kinds_of_file_are_read(tmp_path: Path) -> None:
    weights = {"a": torch.arange(3.0)}
    save_file(weights, tmp_path / "a.safetensors")
    torch.save({"state_dict": weights}, tmp_path / "a.bin")
    assert torch.equal(read_tensors(tmp_path / "a.safetensors")["a"], weights["a"])
    assert torch.equal(read_tensors(tmp_path / "a.bin", "state_dict")["a"], weights["a"])


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_placeholder_of_git_is_named_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(CheckpointError, match="placeholder") as error:
        read_tensors(tmp_path / name)
    assert "git lfs pull" in error.value.hint


def test_a_dictionary_that_is_a_placeholder_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "tokens.pkl").write_text(POINTER)
    with pytest.raises(CheckpointError, match="placeholder"):
        read_dictionary(tmp_path / "tokens.pkl")


def test_weights_with_code_are_refused_and_do_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Command()}, tmp_path / "a.bin")
    with pytest.raises(CheckpointError, match="more than tensors"):
        read_tensors(tmp_path / "a.bin")
    assert not (tmp_path / "was-here").exists()


def test_a_dictionary_with_code_is_refused_and_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokens.pkl").write_bytes(pickle.dumps({"a": Command()}))
    with pytest.raises(CheckpointError, match="which a dictionary does not need"):
        read_dictionary(tmp_path / "tokens.pkl")
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_of_numpy_become_plain(tmp_path: Path, protocol: int) -> None:
    content = {"ENSG1": np.int16(2), "ENSG2": np.float64(1.25), "ENSG3": np.bool_(True), "ENSG4": 4}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    read = read_dictionary(tmp_path / "a.pkl")
    assert read == {"ENSG1": 2, "ENSG2": 1.25, "ENSG3": True, "ENSG4": 4}
    assert [type(value) for value in read.values()] == [int, float, bool, int]


def test_numbers_in_the_other_byte_order_are_read(tmp_path: Path) -> None:
    value = np.array([513], dtype=">i2")[0]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": np.dtype(">i2").type(value)}))
    assert read_dictionary(tmp_path / "a.pkl") == {"a": 513}


def test_objects_inside_numbers_of_numpy_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": np.dtype(object)}))
    with pytest.raises(CheckpointError, match="not plain numbers"):
        read_dictionary(tmp_path / "a.pkl")


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"nonsense"])
def test_a_damaged_dictionary_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_dictionary(tmp_path / "a.pkl")


def test_a_damaged_weight_file_is_refused(tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.bin"):
        (tmp_path / name).write_bytes(b"nonsense" * 9)
        with pytest.raises(CheckpointError):
            read_tensors(tmp_path / name)


def test_json_is_a_dictionary_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"a": 1}))
    assert read_dictionary(tmp_path / "a.json") == {"a": 1}
    (tmp_path / "b.json").write_text("[1]")
    with pytest.raises(CheckpointError, match="no dictionary"):
        read_dictionary(tmp_path / "b.json")


def test_loading_tells_what_it_found() -> None:
    layer = nn.Linear(2, 1)
    report = load_tensors(layer, {"weight": torch.ones(1, 2), "extra": torch.ones(1)}, optional=("bias",))
    assert report.loaded == ("weight",)
    assert report.missing == ("bias",)
    assert report.unexpected == ("extra",)
    assert layer.weight.tolist() == [[1.0, 1.0]]


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(CheckpointError, match="lacks 1 of 2 tensors: bias"):
        load_tensors(nn.Linear(2, 1), {"weight": torch.ones(1, 2)})


def test_a_tensor_of_another_shape_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"weight is \(2, 2\).*wants \(1, 2\)"):
        load_tensors(nn.Linear(2, 1), {"weight": torch.ones(2, 2), "bias": torch.ones(1)})


def test_weights_are_counted() -> None:
    assert n_parameters(nn.Linear(2, 1)) == 3
