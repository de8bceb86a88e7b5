"""Facts of a model that pages show; cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scviz.errors import RequestError
from scviz.foundation.perturbing import PerturbationCard

Support = Literal["evaluated", "related", "none"]
"""Whether the model's authors evaluated it on a task, on something like it, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedFile:
    """A file of a published checkpoint."""

    path: str
    """Where it lies in the repository; the last part is its name."""
    size: int = 0
    """Bytes; 0 where it is not known."""
    sha256: str = ""
    """SHA-256 of its content or the beginning of it; empty where it is not known."""

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The shape of an encoder whose attention is over all pairs of tokens."""

    n_layers: int
    width: int
    ffn: int
    """Width inside the feed-forward parts."""
    most_tokens: int
    """Of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCheckpoint:
    """Weights that the authors published."""

    name: str
    size_mb: float
    description: str
    hub: str = ""
    """Repository at huggingface.co that holds `files`; empty if the authors publish elsewhere."""
    note: str = ""
    """What to know of that repository, a sentence."""
    files: tuple[ReleasedFile, ...] = ()
    """What the model reads of them."""
    beside: tuple[str, ...] = ()
    """Patterns of files that the model needs and `hub` lacks."""
    steps: tuple[str, ...] = ()
    """How to get the files, or those of `beside`, by hand: a sentence each."""
    network: Network | None = None
    """What reads a cell; None where its work cannot be counted so."""


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
    objective: str
    """What it learns in pre-training and what its loss there means, one sentence."""
    reference: str
    """DOI of the paper."""
    licence: str
    """Licence of the published weights."""
    source: str
    """Where the authors publish the weights."""
    files: tuple[str, ...]
    """Files of a published checkpoint folder, in words."""
    fine_tuning: str
    """Which weights its authors train when they make it name cell types, a sentence."""
    embedding_key: str
    """Key of `obsm` for its cell embedding: "X_Geneformer"."""
    support: Mapping[str, Support]
    """By task; a missing task is "none"."""
    released: tuple[ReleasedCheckpoint, ...] = ()
    read_depths: Mapping[str, str] = field(default_factory=dict)
    """What to call each depth at which it can read cells, by what `at_depth` takes; empty where it has no choice."""
    chooses_genes: bool = False
    """Whether its authors embed cells by their most variable genes alone."""
    needs_counts: str = ""
    """What it does with counts of molecules, a sentence; empty if it reads relative expression as well."""
    edits: Mapping[str, Support] = field(
        default_factory=lambda: {"delete": "none", "knockdown": "none", "overexpress": "none"}
    )
    """Kinds of edits of genes that it can read, as `foundation.edits` names them, and whether they were evaluated."""
    screens_deletions: bool = False
    """Whether it estimates the deletion of every gene at once; see `FoundationModel.screen_deletions`."""
    perturbation: PerturbationCard | None = None
    """As a method that predicts perturbations; None if it is none. See `FoundationModel.perturbation_predictor`."""
    terms: str = ""
    """What users must agree to before a download, in the first person; empty if reading the license is enough."""
    signs: tuple[str, ...] = ()
    """Patterns of files by which a published folder is known; "|" stands between alternatives."""

    networks: int = 1
    """Networks of one size in a published file of weights; one of them is read."""

    @property
    def agreement(self) -> str:
        """What a user must say before a download."""
        return self.terms or f"I have read the license ({self.licence})."

    def release(self, name: str) -> ReleasedCheckpoint:
        """Return the published weights of that name.

        Raises
        ------
        RequestError
            If the authors publish none of that name.
        """
        for released in self.released:
            if released.name == name:
                return released
        names = ", ".join(released.name for released in self.released)
        raise RequestError(f"{self.title} has no published weights {name!r}.", hint=f"There are: {names}.")
