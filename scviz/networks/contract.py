"""What every network of genes is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRUTH = "truth"
"""Names the known network of a simulated screen, where a prior network may be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneSet:
    """Genes that belong together: a module, a regulon, a program."""

    name: str
    genes: tuple[str, ...]
    regulator: str = ""
    """Transcription factor that is thought to drive them; empty without one."""
    weights: tuple[float, ...] = ()
    """Of each gene; empty where all count alike."""
    description: str = ""
    """Where they come from, a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """L links between genes, the strongest first."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    weights: NDArray[np.float64]
    """(L,)."""
    directed: bool = True
    """Whether a link goes from a regulator to its target."""
