"""Which of several modalities holds genes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scviz.datasets.orientation import share_of_genes

FIRST = ("rna", "gex", "gene expression", "gene_expression", "genes", "transcriptome", "expression", "mrna")


def in_order(names: Sequence[str], part: str, gene_names: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Return modalities, the one that is taken first: the one asked for, RNA, or the one whose names are genes.

    Parameters
    ----------
    names
        Of the modalities.
    part
        The one that is asked for, or empty.
    gene_names
        Gives some names of the features of a modality.

    Examples
    --------
    >>> in_order(["prot", "rna"], "", lambda name: [])
    ('rna', 'prot')
    """
    lower = {name.lower(): name for name in reversed(names)}
    taken = part if part in names else next((lower[one] for one in FIRST if one in lower), "")
    if not taken:
        taken = max(names, key=lambda name: share_of_genes(gene_names(name)))
    return (taken, *(name for name in names if name != taken))


def said(parts: Sequence[str]) -> str:
    """Say which of several modalities was taken."""
    return f"Of {len(parts)} modalities, {parts[0]} was taken; the others: {', '.join(parts[1:])}."
