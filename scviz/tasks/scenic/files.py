"""Files that a search for regulons reads, and its gene sets as a file; light enough for pages."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from scviz.networks.contract import GeneSet
from scviz.networks.gmt import gmt_text
from scviz.tasks.scenic import Found

LISTS = (".txt",)
"""Endings of lists of regulators."""
TABLES = (".tsv", ".tsv.gz", ".csv", ".csv.gz")
"""Endings of tables of known links."""
RANKINGS = (".genes_vs_motifs.rankings.feather",)
ANNOTATIONS = (".tbl",)
MOST_FILES = 300


def files_ending(roots: Iterable[Path], endings: tuple[str, ...]) -> list[str]:
    """List files of the folders that may be opened, sorted within each."""
    found = (
        str(path)
        for root in roots
        if root.is_dir()
        for path in sorted(root.rglob("*"))
        if path.name.endswith(endings) and path.is_file()
    )
    return list(islice(found, MOST_FILES))


def gmt(regulons: Iterable[Found]) -> str:
    """Write regulons in the GMT format: a line of each with its name, its regulator and its targets."""
    return gmt_text(GeneSet(name=one.name, genes=one.genes, regulator=one.regulator) for one in regulons)
