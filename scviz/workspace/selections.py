"""Selections of cells that links name: they lie beside their dataset, and are read as cells of that dataset only.

DATASET/selections/<id>.rows    one bit a cell, packed, named by its hash
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from uuid import uuid4

from scviz.errors import DataError

FOLDER = "selections"
MOST = 1_000
"""Selections that are kept of a dataset; those that nobody has looked at longest go first."""
_ID = re.compile(r"[0-9a-f]{12}")


def keep_selection(folder: Path, packed: bytes) -> str:
    """Keep cells, packed by `pack_rows`, beside a dataset; returns the short name by which a link calls them."""
    name = hashlib.blake2b(packed, digest_size=6).hexdigest()
    path = _path(folder, name)
    if path.exists():
        path.touch()
        return name
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(f".{uuid4().hex}.draft")
    draft.write_bytes(packed)
    draft.replace(path)
    _drop_oldest(path.parent)
    return name


def kept_selection(folder: Path, name: str) -> bytes:
    """Return the cells of a dataset that a link names, packed.

    Raises
    ------
    DataError
        If no selection of this dataset has this name.
    """
    path = _path(folder, name) if _ID.fullmatch(name) else None
    if path is None or not path.is_file():
        raise DataError(
            "The link names a selection that this dataset does not have.",
            hint="Everything else is as it says; ask for a new link.",
        )
    path.touch()
    return path.read_bytes()


def _path(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.rows"


def _drop_oldest(folder: Path) -> None:
    found = list(folder.glob("*.rows"))
    if len(found) > MOST:
        for path in sorted(found, key=lambda one: one.stat().st_mtime)[: len(found) - MOST]:
            path.unlink(missing_ok=True)
