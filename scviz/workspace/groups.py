"""Groups of cells that a user has circled and named; kept beside the dataset."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

FILE = "groups.npz"


def read_groups(folder: Path) -> dict[str, NDArray[np.int64]]:
    """Return the named groups of a dataset: name -> (n,) rows of its cells, in the order they were named."""
    path = folder / FILE
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as file:
        names = file["names"].tolist()
        return {name: file[f"rows_{i}"] for i, name in enumerate(names)}


def group_version(rows: NDArray[np.int64]) -> str:
    """Hash the cells of a group, (n,) rows: a name may be given to other cells later."""
    return hashlib.blake2b(np.sort(rows).astype("<i8").tobytes(), digest_size=6).hexdigest()


def name_group(folder: Path, name: str, rows: NDArray[np.int64]) -> None:
    """Give cells, (n,) rows, a name; a group that has this name already is replaced."""
    with FileLock(folder / f"{FILE}.lock"):
        _write(folder, {**read_groups(folder), name: rows})


def forget_group(folder: Path, name: str) -> None:
    """Drop a name."""
    with FileLock(folder / f"{FILE}.lock"):
        _write(folder, {key: rows for key, rows in read_groups(folder).items() if key != name})


def _write(folder: Path, groups: dict[str, NDArray[np.int64]]) -> None:
    draft = folder / f"{FILE}.draft"
    arrays = {f"rows_{i}": rows for i, rows in enumerate(groups.values())}
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, names=np.array(list(groups), dtype=np.str_), **arrays)
    draft.replace(folder / FILE)
