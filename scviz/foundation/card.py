"""Facts of a model that pages show; cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Support = Literal["evaluated", "related", "none"]
"""Whether the model's authors evaluated it on a task, on something like it, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCheckpoint:
    """Weights that the authors published."""

    name: str
    size_mb: float
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A foundation model in a biologist's words."""

    name: str
    """Key and folder name: "geneformer"."""
    title: str
    """As its authors write it: "Geneformer"."""
    summary: str
    reads: str
    """What it reads of a cell, one line."""
    reference: str
    """DOI of the paper."""
    licence: str
    """Licence of the published weights."""
    source: str
    """Where the authors publish the weights."""
    files: tuple[str, ...]
    """Files of a published checkpoint folder, in words."""
    embedding_key: str
    """Key of `obsm` for its cell embedding: "X_Geneformer"."""
    support: Mapping[str, Support]
    """By task; a missing task is "none"."""
    released: tuple[ReleasedCheckpoint, ...] = ()
