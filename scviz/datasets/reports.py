"""What is found in a file before it is opened: the card that its user sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scviz.datasets import genes
from scviz.datasets.counts import Kind
from scviz.datasets.matrices import Layout
from scviz.datasets.recovery import Transform
from scviz.workspace import ColumnInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixReport:
    """What one matrix of the file holds."""

    location: str
    """`X`, `raw/X` or `layers/<name>`."""
    kind: Kind
    layout: Layout
    """Stored by cell (csr), by gene (csc) or with all zeros (dense)."""
    n_genes: int
    n_values: int
    """Values that are stored, or that are not 0 as far as the sample tells."""
    evidence: str
    """A sentence with the numbers that led to the kind."""
    low: float
    high: float
    n_sampled: int
    """Cells that were looked at."""
    transform: Transform
    """What was done to normalized counts, where there is something to undo."""
    target: float
    """Sum to which the cells were normalized; 0 when not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneReport:
    """How the genes are named."""

    kind: genes.Kind
    """Kind of the names themselves."""
    ensembl_share: float
    """Share of the names that are Ensembl ids, from 0 to 1."""
    examples: tuple[str, ...]
    has_ensembl: bool
    """Whether Ensembl ids are known, be it from another column."""
    has_symbols: bool
    changes: tuple[str, ...]
    """What opening changes in the names, a sentence each."""
    n_duplicated: int
    """Names that occur more than once."""
    species: genes.Species
    species_evidence: str
    called: str
    """What the species is called, also where it is neither human nor mouse; empty if not known."""


Action = Literal["", "turn", "relative", "counts"]
"""Turn rows and columns; take values as relative expression; choose the matrix with the counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the card."""

    level: Literal["stop", "ask", "fix", "note"]
    """In the way of opening; to be looked at, with something to press; mended on opening; worth knowing."""
    text: str
    hint: str = ""
    action: Action = ""
    """What can be done about it by a press."""

    @property
    def is_doubt(self) -> bool:
        """Whether it is about which values are counts, so that it does not stop who chose a matrix."""
        return self.action in ("counts", "relative")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """The card of a file."""

    name: str
    n_cells: int
    n_genes: int
    """Genes of the matrix that holds the counts, of `X` when none does."""
    matrices: tuple[MatrixReport, ...]
    counts: str | None
    """Location of the matrix that is taken for the counts."""
    genes: GeneReport
    columns: tuple[ColumnInfo, ...]
    """Columns that describe cells, likely cell types first, then batches."""
    embeddings: tuple[str, ...]
    """Keys of `obsm`."""
    turned: bool
    """Whether rows of the file are taken for genes."""
    old_writer: bool
    """Whether the file was written before 2020."""
    findings: tuple[Finding, ...]
    """All that is worth saying, problems first."""

    @property
    def can_open(self) -> bool:
        """Whether nothing is in the way."""
        return all(finding.level != "stop" for finding in self.findings)
