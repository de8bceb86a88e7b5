"""Gene sets as files in the GMT format: a line of each with its name, a description and its genes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scviz.datasets.gene_terms import LAYOUTS, content_of, genes_by_term, gmt_lines, read_terms
from scviz.errors import DataError
from scviz.networks.contract import GeneSet
from scviz.settings import ROOT

PROGRAMS = ROOT / "assets" / "genesets" / "programs.gmt"
"""Sets that come with the project: cell types, states and pathways that are common knowledge, as human symbols."""


def read_gmt(path: Path) -> tuple[GeneSet, ...]:
    """Read gene sets, in the order of the file; lines of one name make one set.

    Raises
    ------
    DataError
        If the file is missing, too large, no text, or holds no sets.
    """
    try:
        lines = gmt_lines(content_of(path))
    except ValueError as error:
        raise DataError(
            f"The file {path.name} cannot be read as gene sets: {error}.", hint=LAYOUTS
        ) from error
    sets: dict[str, GeneSet] = {}
    for line in lines:
        earlier = sets.get(line.term)
        genes = tuple(dict.fromkeys((*(earlier.genes if earlier else ()), *line.genes)))
        if genes:
            sets[line.term] = GeneSet(name=line.term, genes=genes, description=line.description)
    if not sets:
        raise DataError(f"The file {path.name} holds no gene sets.", hint=LAYOUTS)
    return tuple(sets.values())


def gmt_text(sets: Iterable[GeneSet]) -> str:
    r"""Write gene sets in the GMT format; the regulator of a set stands where it has no description.

    Examples
    --------
    >>> gmt_text([GeneSet(name="heme", genes=("KLF1", "GATA1"), regulator="TAL1")])
    'heme\tTAL1\tKLF1\tGATA1\n'
    """
    rows = ((one.name, one.description or one.regulator, *one.genes) for one in sets)
    return "".join("\t".join(re.sub(r"\s+", " ", word) for word in row) + "\n" for row in rows)


def sets_of_terms(path: Path) -> tuple[GeneSet, ...]:
    """Read terms that were taken into the workspace as gene sets, sorted by name.

    Raises
    ------
    DataError
        If the file is no collection of terms.
    """
    return tuple(GeneSet(name=term, genes=genes) for term, genes in genes_by_term(read_terms(path)).items())


@cache
def programs() -> tuple[GeneSet, ...]:
    """Return the sets that come with the project."""
    return read_gmt(PROGRAMS)
