"""One name for each gene, whatever a file calls it, by which cells are marked."""

from __future__ import annotations

from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import GeneIdentifiers, guess_species


def marked_genes(ids: GeneIdentifiers) -> tuple[str, ...]:
    """Give the approved symbol of each gene where one is known, (G,), and its own name otherwise.

    Examples
    --------
    >>> marked_genes(GeneIdentifiers(ensembl=("ENSG00000156738",), symbol=None))
    ('MS4A1',)
    >>> marked_genes(GeneIdentifiers(ensembl=None, symbol=("SEPT2", "my gene")))
    ('SEPTIN2', 'my gene')
    """
    table = gene_table("mouse" if guess_species(ids).species == "mouse" else "human")
    empty = ("",) * len(ids)
    found = []
    for symbol, ensembl, name in zip(ids.symbol or empty, ids.ensembl or empty, ids.names, strict=True):
        place = table.of_id(ensembl) if ensembl else None
        genes = (place,) if place is not None else table.find(symbol or name).genes
        found.append(table.symbols[genes[0]] if len(genes) == 1 else name)
    return tuple(found)
