"""Read tensors and dictionaries that others wrote, and nothing that could run."""

from __future__ import annotations

import pickle  # noqa: TID251 - only for a reader that knows plain values and refuses everything else
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from scviz.errors import CheckpointError
from scviz.workspace.plain_json import read_plain

LFS_POINTER = b"version https://git-lfs"

SAVE_TENSORS = "Save the state_dict of the model alone, best as .safetensors."


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """Which tensors found their place."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    """Of the network, but not in the file; they keep their first values."""
    unexpected: tuple[str, ...]
    """In the file, but not of the network; they are left out."""


def read_tensors(path: Path, *members: str) -> dict[str, Tensor]:
    """Read the tensors of a `.safetensors` file or of one that torch wrote, of any shape, such as (V, D).

    Parameters
    ----------
    members
        Names that lead to the tensors where a file holds more, such as "state_dict".

    Raises
    ------
    CheckpointError
        If the file is a placeholder, is damaged, or holds anything but tensors.
    """
    content: Any = read_nested(path)
    try:
        for member in members:
            content = content[member]
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"The file {path.name} cannot be read as tensors: it has no {error}.",
            hint="Download the file again.",
        ) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"The file {path.name} holds no named tensors.", hint="Choose the file with the weights."
        )
    return {str(name): tensor for name, tensor in content.items() if isinstance(tensor, Tensor)}


def read_nested(path: Path, *, hint: str = SAVE_TENSORS) -> Mapping[str, Any]:
    """Read all that a file of weights holds: tensors and plain values, also in dictionaries within each other.

    Parameters
    ----------
    hint
        What to do with a file that holds anything else.

    Raises
    ------
    CheckpointError
        If the file is a placeholder, is damaged, or holds anything that could run.
    """
    refuse_placeholder(path)
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251 - tensors only
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"The file {path.name} holds more than tensors, so it could run code when read.", hint=hint
        ) from error
    except (SafetensorError, RuntimeError, EOFError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The file {path.name} cannot be read as tensors: {error}.", hint="Download the file again."
        ) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"The file {path.name} holds no named tensors.", hint="Choose the file with the weights."
        )
    return content


def load_tensors(
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    *,
    optional: Sequence[str] = (),
    given: Sequence[str] = (),
) -> LoadReport:
    """Copy tensors into a network by name.

    Parameters
    ----------
    tensors
        By name, each of the shape that it has in the network, such as (V, D).
    optional
        Beginnings of names that the file may lack.
    given
        Names that the network fills by itself, such as those tied to others.

    Raises
    ------
    CheckpointError
        If a tensor that is not optional is missing, or one has another shape.
    """
    own = {name: tensor for name, tensor in module.state_dict().items() if name not in given}
    loaded = tuple(name for name in own if name in tensors)
    missing = tuple(name for name in own if name not in tensors)
    _check_fit(own, tensors, optional=optional)
    module.load_state_dict({name: tensors[name] for name in loaded}, strict=False)
    unexpected = tuple(name for name in tensors if name not in {*own, *given})
    return LoadReport(loaded=loaded, missing=missing, unexpected=unexpected)


def _check_fit(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], *, optional: Sequence[str]) -> None:
    """Refuse tensors of which one is missing that is not optional, or has another shape."""
    needed = [name for name in own if name not in tensors and not name.startswith(tuple(optional))]
    if needed:
        raise CheckpointError(
            f"The checkpoint lacks {len(needed)} of {len(own)} tensors: {_first(needed)}.",
            hint="Choose the file with all weights of this model, or download it again.",
        )
    for name, tensor in own.items():
        if name in tensors and tensor.shape != tensors[name].shape:
            raise CheckpointError(
                f"The tensor {name} is {tuple(tensors[name].shape)}, and config.json wants {tuple(tensor.shape)}.",
                hint="Take config.json and the weights from the same checkpoint.",
            )


def read_dictionary(path: Path) -> dict[str, Any]:
    """Read a dictionary of plain values from `.json`, or from `.pkl` without running anything.

    Raises
    ------
    CheckpointError
        If the file is a placeholder, is damaged, or holds anything but words and numbers.
    """
    refuse_placeholder(path)
    try:
        with path.open("rb") as file:
            content = read_plain(path, object) if path.suffix == ".json" else _PlainReader(file).load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
    ) as error:
        raise CheckpointError(
            f"The file {path.name} cannot be read as a dictionary of words and numbers: {error}.",
            hint="Download the file again, or give it as JSON.",
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"The file {path.name} holds no dictionary.", hint="Choose another file.")
    return {str(key): value for key, value in content.items()}


def refuse_placeholder(path: Path) -> None:
    """Refuse the small text that git leaves in place of a large file.

    Raises
    ------
    CheckpointError
        If the file does not exist or is such a text.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no file {path.name} in {path.parent.name}.", hint="Download it.")
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise CheckpointError(
                f"The file {path.name} is a placeholder of {path.stat().st_size} bytes left by git for the true file.",
                hint="Run `git lfs pull` where it came from, or download the file through the browser.",
            )


def n_parameters(module: nn.Module) -> int:
    """Count the weights of a network, tied ones once."""
    return sum(parameter.numel() for parameter in module.parameters())


def _first(names: Sequence[str]) -> str:
    """Name the first few."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


class _NumberType:
    """Stands for numpy's dtype while reading: the name of a number type and nothing else."""

    def __init__(self, name: str, *rest: object) -> None:
        if not isinstance(name, str) or name[:1] not in "biuf":
            raise pickle.UnpicklingError(f"values of type {name!r} are not plain numbers")
        self.name, self.order = name, ""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1] if state[1] in ("<", ">") else ""


def _number(kind: _NumberType, data: bytes) -> int | float | bool:
    """Give the plain number that a numpy scalar holds."""
    value: int | float | bool = np.frombuffer(data, np.dtype(kind.order + kind.name), 1)[0].item()
    return value


def _bytes(text: str, encoding: str) -> bytes:
    """Give the bytes of a number that older pickles keep as text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"its numbers are written in {encoding!r}")
    return text.encode("latin1")


class _PlainReader(pickle.Unpickler):
    """Reads dictionaries of words and numbers, numpy's too, and refuses anything else."""

    KNOWN: dict[tuple[str, str], Callable[..., Any]] = {  # noqa: RUF012 - a table
        ("numpy", "dtype"): _NumberType,
        ("numpy.core.multiarray", "scalar"): _number,
        ("numpy._core.multiarray", "scalar"): _number,
        ("_codecs", "encode"): _bytes,
        ("builtins", "dict"): dict,
        ("builtins", "str"): str,
        ("builtins", "int"): int,
        ("builtins", "float"): float,
        ("builtins", "bool"): bool,
    }

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Refuse whatever is not in the table."""
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a dictionary does not need")
        return self.KNOWN[module, name]
