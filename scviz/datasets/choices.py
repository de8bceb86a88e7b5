"""What a user may choose where a file leaves a doubt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a file is to be opened; the defaults take what its card names."""

    counts_location: str | None = None
    """`X`, `raw/X`, `layers/<name>`, or two of them joined by " + "; None takes the matrix that the card names."""
    turned: bool | None = None
    """Whether rows of the file are genes and columns are cells; None takes what the names speak for."""
    part: str = ""
    """Genome, modality or assay that is taken of several; empty takes the first."""
    keep_names: bool = False
    """Whether genes keep the names of the file, former symbols, prefixes and all."""
    relative: bool = False
    """Whether values without counts behind them (TPM, CPM, logarithms of them) are taken as relative expression."""
