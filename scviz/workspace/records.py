"""Dataclasses on disk: JSON for plain values, NPZ for arrays, and no pickle anywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints
from uuid import uuid4

import numpy as np
from pydantic import TypeAdapter, ValidationError

from scviz.workspace.plain_json import DamagedFileError, damaged, read_plain

Record = TypeVar("Record")

RECORD, ARRAYS = "record.json", "arrays.npz"
ACCESS = "access.json"
"""Whose a folder is; `scviz.workspace.people` reads it."""


def _read_adapters(kind: type) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(kind)
    plain = {name: hint for name, hint in hints.items() if "ndarray" not in str(hint)}
    return {name: TypeAdapter(hint) for name, hint in plain.items()}


_adapters: Callable[[type], dict[str, TypeAdapter[Any]]] = cache(_read_adapters)


def to_json(record: Any) -> dict[str, Any]:
    """Turn a dataclass without arrays into values that JSON knows."""
    adapters = _adapters(type(record))
    return {
        field.name: adapters[field.name].dump_python(getattr(record, field.name), mode="json")
        for field in dataclasses.fields(record)
    }


def from_json(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """Turn what `to_json` gave back into its dataclass.

    Unknown fields are left out, absent ones get their default.
    """
    adapters = _adapters(kind)
    known = {
        name: adapters[name].validate_python(value) for name, value in values.items() if name in adapters
    }
    return kind(**known)


def write_json(record: Any, path: Path) -> None:
    """Write a dataclass without arrays as one JSON file; readers see all of it or nothing."""
    draft = path.with_name(f"{path.name}.{uuid4().hex}.draft")  # two writers do not meet
    draft.write_text(json.dumps(to_json(record), indent=1), encoding="utf-8")
    draft.replace(path)


def read_json(kind: type[Record], path: Path) -> Record:
    """Read what `write_json` wrote.

    Raises
    ------
    DamagedFileError
        If the file holds anything else.
    """
    plain = read_plain(path)
    with _named(path):
        return from_json(kind, plain)


def readable(kind: type[Record], paths: Iterable[Path]) -> list[Record]:
    """Read what `write_json` wrote; a damaged file is left out, see `damaged_records`."""
    found = []
    for path in paths:
        with suppress(DamagedFileError, FileNotFoundError):  # or deleted since it was listed
            found.append(read_json(kind, path))
    return found


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file whose values are of the wrong kind, or lack some."""
    try:
        yield
    except ValidationError as error:
        what = error.errors(include_url=False)[0]["msg"]
        raise damaged(_file(path), f"{what[:1].lower()}{what[1:]}") from error
    except TypeError as error:
        raise damaged(_file(path), "it lacks some of its values") from error


def _file(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def write_record(record: Any, folder: Path) -> None:
    """Write a dataclass whose fields are arrays, dicts of arrays and plain values; an array may be None.

    Arrays go to one NPZ file, the rest to one JSON file, which is written last: where it is, all is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    adapters = _adapters(type(record))
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name in adapters:
            plain[field.name] = adapters[field.name].dump_python(value, mode="json")
        elif value is None:
            continue
        elif isinstance(value, Mapping):
            arrays |= {f"{field.name}/{key}": np.asarray(array) for key, array in value.items()}
        else:
            arrays[field.name] = np.asarray(value)
    with (folder / ARRAYS).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    draft = folder / f"{RECORD}.draft"
    draft.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    draft.replace(folder / RECORD)


def read_record(kind: type[Record], folder: Path) -> Record:
    """Read what `write_record` wrote.

    Raises
    ------
    DamagedFileError
        If the files hold anything else.
    """
    plain = read_plain(folder / RECORD)
    with _named(folder / RECORD):
        return _record(kind, plain, folder)


def _record(kind: type[Record], plain: Mapping[str, Any], folder: Path) -> Record:
    hints, adapters = get_type_hints(kind), _adapters(kind)
    values: dict[str, Any] = {
        name: adapters[name].validate_python(value) for name, value in plain.items() if name in adapters
    }
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        for name in hints.keys() - adapters.keys():
            if name in arrays:
                values[name] = arrays[name]
            else:
                group = {key.split("/", 1)[1]: arrays[key] for key in arrays if key.startswith(f"{name}/")}
                values[name] = None if not group and NoneType in get_args(hints[name]) else group
    return kind(**values)


def read_array(folder: Path, name: str) -> np.ndarray:
    """Read one array of what `write_record` wrote, and nothing else of it."""
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        array: np.ndarray = arrays[name]
        return array


def read_value(folder: Path, name: str) -> Any:
    """Read one plain field of what `write_record` wrote, as JSON has it; None where an older record lacks it."""
    return read_plain(folder / RECORD).get(name)


def fingerprint(*parts: Any) -> str:
    """Hash JSON values: equal questions get equal answers.

    Examples
    --------
    >>> fingerprint("embedding", {"seed": 0}) == fingerprint("embedding", {"seed": 0})
    True
    """
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def file_hash(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=12)).hexdigest()


def content_hash(path: Path) -> str:
    """Hash the content of a file, or of all files of a folder with their names; whose they are is no content."""
    if path.is_file():
        return file_hash(path)
    found = (one for one in path.rglob("*") if not one.name.startswith(ACCESS))
    files = sorted(one for one in found if one.is_file() and not one.is_symlink())
    return fingerprint([(str(one.relative_to(path)), file_hash(one)) for one in files])


def files_version(*paths: str) -> str:
    """Tell files from those that had the same names earlier, by size and time of change; empty where there are none."""
    found = [Path(path) for path in paths if path and Path(path).is_file()]
    known = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found]
    return fingerprint(known) if known else ""


def stamp_of(path: Path) -> str:
    """Return a short text that changes with a file, or with the files of a folder, by size and time of change."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in files if one.is_file()]
    return fingerprint(found)
