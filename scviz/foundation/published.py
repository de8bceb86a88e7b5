"""Know published weights on a disk: by the files of a folder, and by their hashes; imports no torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scviz.errors import CheckpointError
from scviz.foundation.card import ModelCard, ReleasedFile
from scviz.workspace.plain_json import DamagedFileError, read_plain

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""Endings of files that hold weights, and not what belongs to them."""

LABELS = "labels.json"
"""Names of the cell types of a fine-tuned folder."""

DEEPEST, MOST_FOLDERS = 4, 2000
"""How far a search for weights goes: folders below each other, folders in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file with the name of a published one whose hash is known."""

    name: str
    published: bool
    """Whether it is that file, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """What the hashes of a folder say."""

    files: tuple[KnownFile, ...]
    released: str
    """The published weights that the file of weights is; empty if it is none of those whose hash is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFolder:
    """A folder that looks like a checkpoint."""

    folder: Path
    model: str


def sha256(path: Path) -> str:
    """Hash a file as those who publish weights do."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def recognize(card: ModelCard, folder: Path) -> Recognized:
    """Compare the files of a folder with the published ones of the same name whose hash is known."""
    known = _files_with_hash(card)
    here = {file.name: folder / file.name for _, file in known if (folder / file.name).is_file()}
    hashes = {name: sha256(path) for name, path in here.items()}
    same = [(name, file) for name, file in known if hashes.get(file.name, "").startswith(file.sha256)]
    names = {file.name for _, file in same}
    weights = (name for name, file in same if Path(file.name).suffix in WEIGHTS)
    return Recognized(
        files=tuple(KnownFile(name=name, published=name in names) for name in hashes),
        released=next(weights, ""),
    )


def _files_with_hash(card: ModelCard) -> list[tuple[str, ReleasedFile]]:
    """List the published files whose hash is known, each with the name of its weights."""
    return [(released.name, file) for released in card.released for file in released.files if file.sha256]


def checkpoint_folders(
    cards: Iterable[ModelCard], roots: Sequence[Path], *, besides: Sequence[Path] = ()
) -> list[FoundFolder]:
    """Find folders that hold the files of a model, as published or as kept here; none is read.

    Parameters
    ----------
    roots
        Folders to search.
    besides
        Folders that are left out with all that is below them.
    """
    cards = list(cards)
    left_out = {path.resolve() for path in besides}
    found = {}
    for root in roots:
        for folder in _folders(root.resolve(), left_out):
            model = _model_of(cards, folder)
            if model:
                found[folder] = FoundFolder(folder=folder, model=model)
    return list(found.values())


def has_files(folder: Path, patterns: Iterable[str]) -> bool:
    """Tell whether a folder has a file for every pattern; "|" stands between alternatives."""
    return all(any(any(folder.glob(part)) for part in pattern.split("|")) for pattern in patterns)


def read_labels(folder: Path, n_types: int) -> tuple[str, ...]:
    """Read the names of cell types, a list in `labels.json`; "type 0", "type 1" and so on where there is no file.

    Raises
    ------
    CheckpointError
        If these are not as many different names as there are types.
    """
    path = folder / LABELS
    if not path.is_file():
        return tuple(f"type {i}" for i in range(n_types))
    try:
        names = read_plain(path, list)
    except DamagedFileError as error:
        raise CheckpointError(str(error), hint="Write a list of names.") from error
    if len(names) != n_types or len(set(map(str, names))) != n_types:
        raise CheckpointError(
            f"{LABELS} does not list {n_types} different cell types, which the head names.",
            hint="Write the names in the order in which the model was fine-tuned, as a list.",
        )
    return tuple(map(str, names))


def _folders(root: Path, left_out: set[Path]) -> Iterator[Path]:
    """Walk through folders that are not hidden, to a depth and number that take no time."""
    for n_folders, (name, below, _) in enumerate(os.walk(root)):
        folder = Path(name)
        deep = len(folder.relative_to(root).parts) >= DEEPEST
        below[:] = [] if deep else sorted(b for b in below if b[0] != "." and folder / b not in left_out)
        if n_folders >= MOST_FOLDERS or folder in left_out:
            return
        yield folder


def _model_of(cards: Iterable[ModelCard], folder: Path) -> str:
    """Name the model whose files a folder holds; empty if it holds none."""
    if has_files(folder, ("config.json", "vocab.json", "weights.safetensors")):
        try:
            values = read_plain(folder / "config.json")
        except (ValueError, OSError):
            return ""
        model = values.get("model")
        return next((card.name for card in cards if card.name == model), "")
    return next((card.name for card in cards if card.signs and has_files(folder, card.signs)), "")
