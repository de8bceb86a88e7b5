"""What a reader of a foreign format gives: tables and matrices, and what has to be said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scviz.progress import Report

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where a reader had to guess, and its user knows better."""

    turned: bool | None = None
    """Whether rows of the file are genes and columns are cells; None lets the reader guess."""
    part: str = ""
    """Genome, modality or assay that is taken of several; empty takes the one that the reader would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What was decided on reading; kept beside the h5ad, shown on the card, and part of the history."""

    format: str
    """What the file is, in words: "a Matrix Market folder of Cell Ranger 3"."""
    parts: tuple[str, ...] = ()
    """Genomes, modalities or assays of the file, the one that was taken first; empty where there is but one."""
    turned: bool | None = None
    """Whether rows were taken for genes and turned; None where the format leaves no doubt."""
    notes: tuple[str, ...] = ()
    """A sentence for each thing that was decided, changed or left out."""
    counted: bool = False
    """Whether the format holds counts of molecules by what it is, so that zeros and ones alone are counts, too."""

    def left_to_turn(self, turned: bool | None) -> bool | None:  # noqa: FBT001 - None is a third value
        """Return what is left of a choice which side the genes are: nothing once the reader has settled it."""
        return turned if self.turned is None else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Cells that are being read: N cells, G genes."""

    arrival: Arrival
    matrices: Mapping[str, Callable[[], Iterator[csr_matrix]]]
    """By location (`X`, `layers/<name>`): gives the cells in the order of `cells`, (n, G) at a time, values and
    their type as in the file. Blocks hold at most some 4 million values."""
    cells: pd.DataFrame
    """(N, ...) what is known of each cell, its index the names of the cells as in the file (strings)."""
    genes: pd.DataFrame
    """(G, ...) the same of genes. A symbol beside an Ensembl id stands in the column `gene_symbols` or `gene_ids`;
    the kind of feature of 10x Genomics ("Gene Expression", "Antibody Capture", ...) in `feature_types`. Features of
    all kinds are kept here: opening takes the genes out, and says so."""
    embeddings: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """(N, D) each, by key of `obsm` (`X_umap`)."""


class Reader(Protocol):
    """Reads one format."""

    def __call__(self, path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
        """Read a file or folder that has been found to be of the format.

        Parameters
        ----------
        path
            A file or folder that its user may open.
        choices
            What the user turned.
        limit
            Bytes that it may unpack to, at most.
        report
            Told how far it is, in cells.

        Raises
        ------
        UnreadableFileError
            If it is damaged or incomplete, with what is missing.
        UnsafeFileError
            If it unpacks to too much or leads outside itself.
        """
        ...
