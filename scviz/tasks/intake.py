"""A folder of weights that is taken into the workspace, and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scviz.foundation.published import KnownFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder of weights, and what they are called from now on."""

    model: str
    folder: Path
    name: str
    description: str
    released: str = ""
    """Which published weights these are; found out by their hash if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Where the weights are now, and what was found in the folder."""

    checkpoint: str
    """Id in the workspace."""
    n_parameters: int
    n_genes: int
    loaded: tuple[str, ...]
    """Names of the tensors that were read."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Tensors in the folder that the model has no place for."""
    known_files: tuple[KnownFile, ...] = ()
    """Files that have the name of a published file whose hash is known."""
    released: str = ""
    """Which published weights these are, where a download or a hash says so."""
    types: tuple[str, ...] = ()
    """Cell types that they were fine-tuned to name; empty for others."""
    self_test: str = ""
    """What the self-test says, a sentence or two."""
    passed: bool | None = None
    """Whether it is passed; None where it cannot tell."""
